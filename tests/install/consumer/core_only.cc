// The core alone: no data readers, no image or archive libraries.
#include <chalkgrad/shape.h>

int main() { return chalk::elements({1, 28, 28}) == 784 ? 0 : 1; }
