/* host PLUGIN [GLOBAL]: a C program that opens a C++ plugin (plugin.cpp), uses it, and closes it.
 */
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char **argv) {
    for (int round = 0; round < 3; round++) {
        void *plugin = dlopen(argv[1], RTLD_NOW | (argc > 2 ? RTLD_GLOBAL : RTLD_LOCAL));
        if (!plugin) {
            puts(dlerror());
            return 1;
        }
        void *(*make)(void) = (void *(*)(void))dlsym(plugin, "plugin_make");
        void (*drop)(void *) = (void (*)(void *))dlsym(plugin, "plugin_drop");
        int (*raise)(void) = (int (*)(void))dlsym(plugin, "plugin_throw");
        int (*fail)(void) = (int (*)(void))dlsym(plugin, "plugin_fail");
        int (*made)(void) = (int (*)(void))dlsym(plugin, "plugin_made");
        int before = made();
        for (int i = 0; i < 100; i++) {
            drop(make());
        }
        void *kept = make();
        int raised = raise(), failed = fail();
        printf("%s %d %d %d\n", kept ? "made" : "none", raised, failed, made() - before);
        printf("pending error: %s\n", dlerror() ? "yes" : "no");
        dlclose(plugin);
    }
    return 0;
}
