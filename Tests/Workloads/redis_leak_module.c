/*
 * A Redis module: SHOP.ORDER loses every tenth of the records that it builds, SHOP.USER and
 * SHOP.CART give theirs back, SHOP.SESSION keeps 64 for a while; SHOP.EXPORT opens a file and
 * forgets to close it. With the argument "fixed" nothing is lost. SHOP.LEAKED: bytes lost so far.
 * Functions of the module interface are fetched by name, through the pointer that a context begins
 * with (redis.io/docs/latest/develop/reference/modules).
 */
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define NOINLINE     __attribute__((noinline))
#define RECORD_BYTES 1013

typedef struct RedisModuleCtx RedisModuleCtx;
typedef struct RedisModuleString RedisModuleString;
typedef int (*command)(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);

static int (*get_api)(const char *name, void *function);
static void (*set_attributes)(RedisModuleCtx *ctx, const char *name, int version, int api);
static int (*create_command)(RedisModuleCtx *ctx, const char *name, command run, const char *flags,
                             int first_key, int last_key, int step);
static void *(*allocate)(size_t bytes);
static void (*release)(void *block);
static int (*reply_number)(RedisModuleCtx *ctx, long long number);
static const char *(*string_bytes)(const RedisModuleString *string, size_t *length);

static int fixed;
static long long orders;
static long long lost;

NOINLINE char *make_record(size_t bytes) {
    char *record = allocate(bytes);
    memset(record, 'r', bytes);
    return record;
}

NOINLINE void place_order(void) {
    char *record = make_record(RECORD_BYTES);
    if (++orders % 10 == 0 && !fixed) {
        lost += RECORD_BYTES;
        return;
    }
    release(record);
}

NOINLINE void look_up_user(void) {
    release(make_record(211));
}

NOINLINE void fill_cart(void) {
    for (int i = 0; i < 3; i++) {
        release(make_record(307));
    }
}

NOINLINE void open_session(void) {
    static char *sessions[64];
    static unsigned next;
    release(sessions[next % 64]);
    sessions[next++ % 64] = make_record(509);
}

static int order_command(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    (void)argv, (void)argc;
    place_order();
    return reply_number(ctx, 1);
}

static int user_command(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    (void)argv, (void)argc;
    look_up_user();
    return reply_number(ctx, 1);
}

static int cart_command(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    (void)argv, (void)argc;
    fill_cart();
    return reply_number(ctx, 1);
}

static int session_command(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    (void)argv, (void)argc;
    open_session();
    return reply_number(ctx, 1);
}

static int leaked_command(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    (void)argv, (void)argc;
    return reply_number(ctx, lost);
}

NOINLINE void export_orders(void) {
    int file = open("/dev/null", O_WRONLY);
    if (write(file, "orders", 6) == 6 && fixed) {
        close(file);
    }
}

static int export_command(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    (void)argv, (void)argc;
    export_orders();
    return reply_number(ctx, 1);
}

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    get_api = *(int (**)(const char *, void *))ctx;
    get_api("RedisModule_SetModuleAttribs", &set_attributes);
    get_api("RedisModule_CreateCommand", &create_command);
    get_api("RedisModule_Alloc", &allocate);
    get_api("RedisModule_Free", &release);
    get_api("RedisModule_ReplyWithLongLong", &reply_number);
    get_api("RedisModule_StringPtrLen", &string_bytes);
    set_attributes(ctx, "shop", 1, 1);
    if (argc > 0) {
        size_t length = 0;
        const char *text = string_bytes(argv[0], &length);
        fixed = length == 5 && memcmp(text, "fixed", 5) == 0;
    }
    create_command(ctx, "shop.order", order_command, "write fast", 0, 0, 0);
    create_command(ctx, "shop.user", user_command, "readonly fast", 0, 0, 0);
    create_command(ctx, "shop.cart", cart_command, "readonly fast", 0, 0, 0);
    create_command(ctx, "shop.session", session_command, "readonly fast", 0, 0, 0);
    create_command(ctx, "shop.export", export_command, "readonly fast", 0, 0, 0);
    create_command(ctx, "shop.leaked", leaked_command, "readonly fast", 0, 0, 0);
    return 0;
}
