"""The refinement network's weights and the engine that runs them."""
