/* leaks_glib.c [rounds]: leaks through GLib, libc and wrappers of its own; needs libglib2.0-dev.
 * A line that is to be blamed ends in a comment: leak, and its function's name. */
#define _GNU_SOURCE
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
void *kept[1 << 16];
size_t count;
#define KEEP(x) (kept[count++] = (x))
static void *xmalloc(size_t size) {
    void *block = malloc(size);
    if (!block) {
        abort();
    }
    return block;
}
static __attribute__((noinline)) char *my_strdup(const char *text) {
    char *copy = xmalloc(strlen(text) + 1);
    return strcpy(copy, text);
}
__attribute__((noinline)) void by_xmalloc(void) {
    KEEP(xmalloc(811)); // leak: by_xmalloc
}
__attribute__((noinline)) void own_copy(void) {
    KEEP(my_strdup("a text of some length, which is copied")); // leak: own_copy
}
__attribute__((noinline)) void libc_copy(void) {
    KEEP(strdup("another text of another length, copied")); // leak: libc_copy
}
__attribute__((noinline)) void by_asprintf(void) {
    char *text = NULL;
    if (asprintf(&text, "%0523d", 7) > 0) { // leak: by_asprintf
        KEEP(text);
    }
}
__attribute__((noinline)) void by_hash_table(int i) {
    static GHashTable *table;
    if (!table) {
        table = g_hash_table_new(g_direct_hash, g_direct_equal);
    }
    g_hash_table_insert(table, GINT_TO_POINTER(i + 1),
                        g_strdup_printf("%0400d", i)); // leak: by_hash_table
}
__attribute__((noinline)) void by_string(void) {
    GString *text = g_string_new(NULL);
    for (int i = 0; i < 40; i++) {
        g_string_append(text, "0123456789"); // leak: by_string
    }
    KEEP(text);
}
__attribute__((noinline)) void by_list(void) {
    static GList *list;
    list = g_list_prepend(list, g_malloc(229)); // leak: by_list
}
static void visit(gpointer data, gpointer extra) {
    (void)extra;
    (void)data;
    KEEP(malloc(61)); // leak: visit
}
__attribute__((noinline)) void by_callback(void) {
    GPtrArray *all = g_ptr_array_new();
    g_ptr_array_add(all, all);
    g_ptr_array_foreach(all, visit, NULL);
    g_ptr_array_free(all, TRUE);
}
static int compare(const void *a, const void *b) {
    KEEP(malloc(37)); // leak: compare
    return *(const int *)a - *(const int *)b;
}
int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 50;
    for (int i = 0; i < rounds; i++) {
        by_xmalloc();
        own_copy();
        libc_copy();
        by_asprintf();
        by_hash_table(i);
        by_string();
        by_list();
        by_callback();
        int numbers[] = {3, 1, 2};
        qsort(numbers, 3, sizeof *numbers, compare);
    }
    printf("%zu\n", count);
    _exit(0);
}
