print("silt")
