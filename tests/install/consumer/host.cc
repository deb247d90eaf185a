// A program that knows nothing of chalkgrad and loads a plug-in: host PLUGIN.
#include <dlfcn.h>

#include <cstdio>

int main(int, char** arguments) {
  void* const plugin = dlopen(arguments[1], RTLD_NOW);
  void* const learn = plugin ? dlsym(plugin, "learn") : nullptr;
  if (!learn) return std::puts(dlerror()), 1;
  return reinterpret_cast<int (*)()>(learn)();
}
