"""ROM, resource order management: TMF652 resource orders."""
