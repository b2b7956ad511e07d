// carries the shim
