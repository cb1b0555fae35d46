// The headers as C++11: every public function with its exact type, and every
// public type. tests/cpp.sh sees to it that none is missing.
#include <caws_net.h>

#include <cstdio>
#include <cstring>

namespace {

int failures = 0;

void check(bool ok, const char *what)
{
    if (!ok) {
        std::printf("failed: %s\n", what);
        failures++;
    }
}

// Takes the address, so that the function must be linked, as C.
template <typename F> void is(F *function, F *same, const char *name)
{
    check(function != nullptr && function == same, name);
}
#define IS(type, name) is<type>(name, &::name, #name)

void protocol_functions()
{
    IS(const char *(), caws_version);
    IS(const char *(int), caws_strerror);
    IS(int(const char *, caws_url *), caws_url_parse);
    IS(int(const caws_config *, const char *), caws_config_check);
    IS(caws_conn *(const caws_config *, const caws_transport *), caws_new_server);
    IS(caws_conn *(const char *, const caws_config *, const caws_transport *),
       caws_new_client);
    IS(caws_conn *(bool, const char *, const char *, const caws_config *,
                   const caws_transport *),
       caws_new_open);
    IS(int(caws_conn *, const char *), caws_retarget);
    IS(void(caws_conn *), caws_free);
    IS(int(const char *, size_t, char *), caws_accept_key);

    IS(int(caws_conn *, void *, size_t, uint64_t), caws_feed);
    IS(int(caws_conn *, int, const char *), caws_feed_eof);
    IS(size_t(caws_conn *, caws_slice *, size_t), caws_output);
    IS(void(caws_conn *, size_t), caws_output_done);
    IS(unsigned(const caws_conn *), caws_wants);
    IS(uint64_t(const caws_conn *), caws_deadline);
    IS(void(caws_conn *, uint64_t), caws_tick);

    IS(int(caws_conn *, caws_type, const void *, size_t), caws_send);
    IS(int(caws_conn *, const char *), caws_send_text);
    IS(int(caws_conn *, caws_type, const void *, size_t, bool), caws_send_fragment);
    IS(int(caws_conn *, const void *, size_t), caws_ping);
    IS(int(caws_conn *, const void *, size_t), caws_pong);
    IS(bool(const caws_conn *), caws_needs_drain);
    IS(int(caws_conn *), caws_accept);
    IS(int(caws_conn *, int), caws_refuse);
    IS(int(caws_conn *, const char *), caws_choose_subprotocol);
    IS(int(caws_conn *, const char *, const char *), caws_add_header);
    IS(int(caws_conn *, const char *, const void *, size_t), caws_set_body);
    IS(int(caws_conn *, uint16_t, const char *), caws_close);
    IS(void(caws_conn *), caws_abort);
    IS(void(caws_conn *), caws_discard);
    IS(void(caws_conn *), caws_pause);
    IS(void(caws_conn *), caws_resume);
    IS(caws_prepared *(const caws_config *, caws_type, const void *, size_t),
       caws_prepare);
    IS(int(caws_conn *, caws_prepared *), caws_send_prepared);
    IS(void(caws_prepared *), caws_prepared_free);

    IS(caws_state(const caws_conn *), caws_ready_state);
    IS(size_t(const caws_conn *), caws_buffered_amount);
    IS(const char *(const caws_conn *), caws_subprotocol);
    IS(const char *(const caws_conn *), caws_extensions);
    IS(bool(const caws_conn *), caws_is_client);
    IS(uint32_t(const caws_conn *), caws_round_trip_ms);
    IS(void *(const caws_conn *), caws_context);
    IS(void *(const caws_conn *), caws_user);
    IS(void(caws_conn *, void *), caws_set_user);
    IS(void *(const caws_conn *), caws_transport_owner);
    IS(caws_slice(const caws_conn *, const char *), caws_header);
    IS(bool(const caws_conn *, size_t, caws_slice *, caws_slice *), caws_header_at);
    IS(int(const caws_conn *), caws_http_status);
}

void net_functions()
{
    IS(caws_loop *(const caws_alloc *), caws_loop_new);
    IS(void(caws_loop *), caws_loop_free);
    IS(int(caws_loop *), caws_loop_run);
    IS(void(caws_loop *), caws_loop_stop);
    IS(int(const caws_loop *), caws_loop_fd);
    IS(int(const caws_loop *), caws_loop_timeout);
    IS(int(caws_loop *, int), caws_loop_step);
    IS(int(caws_loop *, caws_timer *, uint32_t, uint32_t), caws_timer_start);
    IS(void(caws_loop *, caws_timer *), caws_timer_stop);
    IS(void(caws_loop *, caws_task *), caws_loop_post);

    IS(caws_server *(caws_loop *, const caws_server_config *), caws_listen);
    IS(uint16_t(const caws_server *), caws_server_port);
    IS(void(caws_server *, uint32_t), caws_server_stop);
    IS(int(caws_server *, int, uint32_t), caws_server_stop_on);
    IS(void(caws_server *, void (*)(caws_conn *, void *), void *), caws_server_each);
    IS(void(const caws_server *, caws_stats *, size_t), caws_server_stats);
    IS(caws_conn *(caws_server *, intptr_t, const void *, size_t), caws_adopt);
    IS(caws_conn *(caws_server *, intptr_t, const char *, const char *, const void *, size_t),
       caws_adopt_open);
    IS(int(void *, void *, size_t), caws_entropy);
    IS(int64_t(caws_server *, const caws_conn *, caws_type, const void *, size_t),
       caws_broadcast);
    IS(caws_conn *(caws_loop *, const char *, const caws_config *), caws_connect);
    IS(caws_conn *(caws_loop *, const caws_client_config *), caws_connect_with);
    IS(caws_group *(caws_loop *), caws_group_new);
    IS(void(caws_group *), caws_group_free);
    IS(int(caws_group *, caws_conn *), caws_group_add);
    IS(void(caws_group *, caws_conn *), caws_group_remove);
    IS(size_t(const caws_group *), caws_group_count);
    IS(int64_t(caws_group *, const caws_conn *, caws_type, const void *, size_t),
       caws_group_send);

    IS(uint64_t(const caws_conn *), caws_id);
    IS(caws_conn *(caws_loop *, uint64_t), caws_find);
    IS(caws_loop *(const caws_conn *), caws_loop_of);
    IS(caws_server *(const caws_conn *), caws_server_of);
    IS(intptr_t(const caws_conn *), caws_fd);
    IS(int(const caws_conn *, char *, size_t), caws_peer_name);
}

// Zero-initialised, each open struct means its defaults, in C++ as in C.
void types()
{
    caws_slice slice = {};
    caws_url url = {};
    caws_alloc alloc = {};
    caws_request request = {};
    caws_close_event event = {};
    caws_config config = {};
    caws_counters counters = {};
    caws_transport transport = {};
    caws_timer timer = {};
    caws_task task = {};
    caws_server_config server = {};
    caws_client_config client = {};
    caws_stats stats = {};
    caws_error error = CAWS_OK;
    caws_ended_by ended_by = CAWS_BY_PEER;
    caws_slow slow = CAWS_SLOW_CLOSE;

    check(slice.data == nullptr && alloc.resize == nullptr, "slice, alloc");
    check(!request.upgrade && event.code == 0, "request, event");
    check(event.ended_by == ended_by && event.error == error, "ended_by, error");
    check(counters.failed == stats.conns.failed, "counters, stats");
    check(transport.owner_size == 0, "transport");
    check(timer.fn == nullptr && task.fn == nullptr, "timer, task");
    check(server.slow == slow && server.ws.on_open == config.on_open, "server config");
    check(client.url == nullptr && client.ws.on_open == config.on_open, "client config");
    check(caws_config_check(&config, nullptr) == CAWS_OK, "a config of zeros");
    check(caws_url_parse("ws://[::1]:81/x", &url) == CAWS_OK && url.port == 81, "url");
}

void life()
{
    caws_config config = {};
    caws_conn *ws = caws_new_server(&config, nullptr);
    check(ws != nullptr, "a server conn");
    check(ws && caws_ready_state(ws) == CAWS_CONNECTING, "its state");
    caws_free(ws);
    caws_loop *loop = caws_loop_new(nullptr);
    check(loop != nullptr, "a loop");
    caws_loop_free(loop);
}

} // namespace

int main()
{
    protocol_functions();
    net_functions();
    types();
    life();
    check(std::strcmp(caws_version(), CAWS_VERSION) == 0, "version");
    return failures != 0;
}
