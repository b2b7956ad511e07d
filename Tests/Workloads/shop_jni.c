/*
 * ShopService's native part: of every second order a record of 1,500 bytes stays, or none.
 */
#include <jni.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

__attribute__((noinline)) static char *make_record(size_t bytes) {
    char *record = malloc(bytes);
    if (record != NULL) {
        memset(record, 'r', bytes);
    }
    return record;
}

JNIEXPORT void JNICALL Java_ShopService_noteOrder(JNIEnv *env, jclass service, jboolean fixed) {
    static atomic_uint orders;
    (void)env, (void)service;
    char *record = make_record(1500);
    if (fixed || atomic_fetch_add(&orders, 1) % 2 == 0) {
        free(record);
    }
}
