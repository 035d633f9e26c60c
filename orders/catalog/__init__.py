"""TMF620/633/634 specifications and decomposition rules: YAML in, frozen values out."""
