#include "learn.h"

int main() { return learn(); }
