"""The refiner's four steps, each pure numpy: view, overview, edges, settle."""
