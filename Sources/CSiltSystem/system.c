#include "silt_system.h"
