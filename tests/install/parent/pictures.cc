#include <png.h>

extern "C" const char* version() { return png_get_libpng_ver(nullptr); }
