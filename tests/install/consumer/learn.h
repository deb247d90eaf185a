// What a user's first program does: trains a small network on the built-in digits. Returns 1 if it learned nothing.
#pragma once

extern "C" int learn();
