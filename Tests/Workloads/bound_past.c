/*
 * bound_past: a host of plugins that are bound past a preloaded malloc. `bound_past PLUGIN`: opens
 * it with RTLD_DEEPBIND and has it keep 30 blocks of 613 bytes, drop 30, and call all functions.
 * `bound_past race PLUGIN…`: threads call each plugin for the first time while the next one is
 * opened, and each drops 300 blocks. `bound_past filtered PLUGIN`: as without `filtered`, under a
 * seccomp(2) filter that refuses ptrace(2) and forbids nothing else. `bound_past again PLUGIN`: 50
 * times opened and closed, each time with one block kept, one dropped; `forked`: after 4 threads
 * have forked 50 children each, at the same time.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* No library of this program has them. */
extern void *mallocx(size_t, int) __attribute__((weak));
extern void *tc_malloc(size_t) __attribute__((weak));
extern void *mi_malloc(size_t) __attribute__((weak));

struct plugin {
    void *handle;
    void *(*keep)(int);
    void (*drop)(int);
    void (*all)(void);
    int (*next_is_none)(void);
    int (*opens)(const char *);
};

static struct plugin open_plugin(const char *path, int flags) {
    struct plugin plugin = {dlopen(path, flags), NULL, NULL, NULL, NULL, NULL};
    if (!plugin.handle) {
        puts(dlerror());
        exit(1);
    }
    *(void **)&plugin.keep = dlsym(plugin.handle, "plugin_kept");
    *(void **)&plugin.drop = dlsym(plugin.handle, "plugin_dropped");
    *(void **)&plugin.all = dlsym(plugin.handle, "plugin_all");
    *(void **)&plugin.next_is_none = dlsym(plugin.handle, "plugin_next_is_none");
    *(void **)&plugin.opens = dlsym(plugin.handle, "plugin_opens");
    return plugin;
}

static void *use(void *argument) {
    struct plugin *plugin = argument;
    for (int i = 0; i < 300; i++) {
        plugin->drop(i % 3);
    }
    return NULL;
}

static void race(char **paths, int count) {
    enum { THREADS = 4, MOST = 16 };
    static struct plugin plugins[MOST];
    static pthread_t threads[MOST][THREADS];
    for (int i = 0; i < count && i < MOST; i++) {
        plugins[i] = open_plugin(paths[i], RTLD_LAZY | RTLD_DEEPBIND);
        for (int thread = 0; thread < THREADS; thread++) {
            pthread_create(&threads[i][thread], NULL, use, &plugins[i]);
        }
    }
    for (int i = 0; i < count && i < MOST; i++) {
        for (int thread = 0; thread < THREADS; thread++) {
            pthread_join(threads[i][thread], NULL);
        }
    }
}

static void *fork_children(void *unused) {
    for (int i = 0; i < 50; i++) {
        pid_t child = fork();
        if (child == 0) {
            _exit(0);
        }
        waitpid(child, NULL, 0);
    }
    return unused;
}

static void fork_at_once(void) {
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, fork_children, NULL);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
}

static void forbid_ptrace(void) {
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof rules / sizeof *rules, rules};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
        exit(1);
    }
}

int main(int count, char **arguments) {
    if (count < 2) {
        return 2;
    }
    printf("weak %d %d %d\n", mallocx != NULL, tc_malloc != NULL, mi_malloc != NULL);
    if (strcmp(arguments[1], "race") == 0) {
        race(arguments + 2, count - 2);
        puts("race done");
        return 0;
    }
    bool has_forked = strcmp(arguments[1], "forked") == 0;
    if (has_forked) {
        fork_at_once();
    }
    if (has_forked || strcmp(arguments[1], "again") == 0) {
        for (int i = 0; i < 50; i++) {
            struct plugin plugin = open_plugin(arguments[2], RTLD_LAZY | RTLD_DEEPBIND);
            plugin.keep(i % 3);
            plugin.drop(i % 3);
            dlclose(plugin.handle);
        }
        puts("again done");
        return 0;
    }
    if (strcmp(arguments[1], "early") == 0) {
        struct plugin plugin = open_plugin(arguments[2], RTLD_LAZY | RTLD_DEEPBIND);
        void (*early)(void) = NULL;
        *(void **)&early = dlsym(plugin.handle, "plugin_early");
        early();
        puts("early done");
        return 0;
    }
    bool is_filtered = strcmp(arguments[1], "filtered") == 0;
    if (is_filtered) {
        forbid_ptrace();
    }
    struct plugin plugin = open_plugin(arguments[1 + is_filtered], RTLD_LAZY | RTLD_DEEPBIND);
    for (int i = 0; i < 30; i++) {
        plugin.keep(i % 3);
        plugin.drop(i % 3);
    }
    plugin.all();
    printf("next is none %d\n", plugin.next_is_none());
    printf("inner %d %d\n", plugin.opens("libinner.so"), dlopen("libinner.so", RTLD_LAZY) != NULL);
    void *(*by_handle)(size_t) = NULL;
    void (*free_by_handle)(void *) = NULL;
    void *libc = dlopen("libc.so.6", RTLD_LAZY);
    *(void **)&by_handle = dlsym(libc, "malloc");
    *(void **)&free_by_handle = dlsym(libc, "free");
    void *block = by_handle(619);
    free_by_handle(by_handle(619));
    printf("by handle %d\n", block != NULL);
    void *last = plugin.keep(0);
    free(last);
    return 0;
}
