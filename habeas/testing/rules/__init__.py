"""The rules that every processor keeps, as tests by subject; `habeas.testing.ProcessorConformance` is all of them."""
