"""The refiner's steps, each pure numpy: view, proposal, overview, edges, settle."""
