/*
 * An nginx module: in a location with "shop_order;" every fifth request loses a record of 1,511
 * bytes (malloc), or none with "shop_order fixed;"; "shop_user;" gives its record back and keeps
 * the last 32 in a ring. Both answer "ok".
 */
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#define NOINLINE __attribute__((noinline))

typedef struct {
    ngx_flag_t fixed;
} shop_location;

static ngx_int_t order_handler(ngx_http_request_t *request);
static ngx_int_t user_handler(ngx_http_request_t *request);
extern ngx_module_t shop_module;

NOINLINE static char *make_record(size_t bytes) {
    char *record = malloc(bytes);
    if (record != NULL) {
        memset(record, 'r', bytes);
    }
    return record;
}

NOINLINE static void place_order(int fixed) {
    static unsigned orders;
    char *record = make_record(1511);
    if (++orders % 5 == 0 && !fixed) {
        return;
    }
    free(record);
}

NOINLINE static void look_up_user(void) {
    static char *recent[32];
    static unsigned next;
    free(recent[next % 32]);
    recent[next++ % 32] = make_record(700);
}

static ngx_int_t answer(ngx_http_request_t *request) {
    static u_char text[] = "ok\n";
    ngx_int_t status = ngx_http_discard_request_body(request);
    if (status != NGX_OK) {
        return status;
    }
    request->headers_out.status = NGX_HTTP_OK;
    request->headers_out.content_length_n = sizeof(text) - 1;
    status = ngx_http_send_header(request);
    if (status == NGX_ERROR || status > NGX_OK || request->header_only) {
        return status;
    }
    ngx_buf_t *buffer = ngx_calloc_buf(request->pool);
    if (buffer == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    buffer->pos = text;
    buffer->last = text + sizeof(text) - 1;
    buffer->memory = 1;
    buffer->last_buf = 1;
    ngx_chain_t out = {.buf = buffer, .next = NULL};
    return ngx_http_output_filter(request, &out);
}

static ngx_int_t order_handler(ngx_http_request_t *request) {
    shop_location *location = ngx_http_get_module_loc_conf(request, shop_module);
    place_order(location->fixed == 1);
    return answer(request);
}

static ngx_int_t user_handler(ngx_http_request_t *request) {
    look_up_user();
    return answer(request);
}

static void *make_location(ngx_conf_t *configuration) {
    shop_location *location = ngx_pcalloc(configuration->pool, sizeof(*location));
    return location;
}

static char *set_order(ngx_conf_t *configuration, ngx_command_t *command, void *data) {
    (void)command;
    shop_location *location = data;
    ngx_http_core_loc_conf_t *core =
        ngx_http_conf_get_module_loc_conf(configuration, ngx_http_core_module);
    location->fixed = configuration->args->nelts > 1;
    core->handler = order_handler;
    return NGX_CONF_OK;
}

static char *set_user(ngx_conf_t *configuration, ngx_command_t *command, void *data) {
    (void)command, (void)data;
    ngx_http_core_loc_conf_t *core =
        ngx_http_conf_get_module_loc_conf(configuration, ngx_http_core_module);
    core->handler = user_handler;
    return NGX_CONF_OK;
}

static ngx_command_t commands[] = {{ngx_string("shop_order"),
                                    NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS | NGX_CONF_TAKE1, set_order,
                                    NGX_HTTP_LOC_CONF_OFFSET, 0, NULL},
                                   {ngx_string("shop_user"), NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS,
                                    set_user, NGX_HTTP_LOC_CONF_OFFSET, 0, NULL},
                                   ngx_null_command};

static ngx_http_module_t context = {NULL, NULL, NULL, NULL, NULL, NULL, make_location, NULL};

ngx_module_t shop_module = {NGX_MODULE_V1, &context, commands, NGX_HTTP_MODULE,
                            NULL,          NULL,     NULL,     NULL,
                            NULL,          NULL,     NULL,     NGX_MODULE_V1_PADDING};
