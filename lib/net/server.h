/* A server: a listener and the links it owns. */
#ifndef CAWS__SERVER_H
#define CAWS__SERVER_H

#include "net/link.h"
#include "net/sock.h"
#include "net/strings.h"
#include "net/sys.h"

/* source.flags of its links */
#define CAWS__SERVER_OPENED CAWS__LINK_OWNER        /* on_open was called */
#define CAWS__SERVER_FULL   (CAWS__LINK_OWNER << 1) /* turned away: 503   */
#define CAWS__SERVER_SLOW   (CAWS__LINK_OWNER << 2) /* closed as too slow */
#define CAWS__SERVER_TOLD   (CAWS__LINK_OWNER << 3) /* on_error was called */

struct caws_server {
    struct caws__owner owner;
    struct caws__source listener; /* fd -1: stopped */
    caws_transport transport;
    caws_config ws;                 /* with handlers of ours ... */
    void (*on_open)(caws_conn *ws); /* ... that go on to these */
    void (*on_failure)(caws_conn *ws, int error, const char *detail);
    void (*on_close)(caws_conn *ws, const caws_close_event *event);
    void (*on_error)(caws_server *server, int error, const char *detail);
    caws_stats stats;
    size_t max_conns;
    size_t conns;       /* links that count against it */
    size_t turned_away; /* links that do not: those told 503 */
    caws_slow slow;
    caws_timer retry; /* to accept again */
    caws_timer cut;   /* the deadline of caws_server_stop */
    uint16_t port;
    bool out_of_descriptors;
    char hosts[CAWS__SOCK_HOSTS];
    const char *unix_path; /* to be removed with the listener ... */
    struct stat unix_file; /* ... if it is still this one */
    struct caws__strings strings; /* all of the config's */
};

/* The listener is ready, or has been left alone long enough. */
void caws__server_accept(struct caws__source *listener, unsigned what);
void caws__server_retry(caws_timer *timer);

void caws__server_report(caws_server *server, int error, const char *detail);

#endif
