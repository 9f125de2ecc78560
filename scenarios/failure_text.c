#include "failure_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* RFC 2408 section 3.14.1. Those that a failure has its name from are named by that. */
void failure_notify_name(char out[48], uint16_t notify)
{
    static const struct {
        uint16_t notify;
        enum p2_failure failure;
    } named[] = {{1, P2_FAIL_INVALID_PAYLOAD_TYPE},    {14, P2_FAIL_NO_PROPOSAL_CHOSEN},
                 {16, P2_FAIL_PAYLOAD_MALFORMED},      {17, P2_FAIL_INVALID_KEY_INFORMATION},
                 {18, P2_FAIL_INVALID_ID_INFORMATION}, {23, P2_FAIL_INVALID_HASH_INFORMATION},
                 {24, P2_FAIL_AUTHENTICATION_FAILED}};
    snprintf(out, 48, "notify %u", notify);
    if (notify == 0)
        out[0] = '\0';
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
        if (named[i].notify == notify)
            snprintf(out, 48, "%s", p2_failure_name(named[i].failure));
    }
}

static const char *exchange_name(const struct failure_view *view)
{
    if (!view->phase1)
        return "Quick Mode";
    return view->mode == P2_PHASE1_AGGRESSIVE ? "Aggressive Mode" : "Main Mode";
}

/* Timeouts name the message as their field where they do not name it otherwise. */
static const char *message_of(const struct p2_negotiation *failure)
{
    bool is_message = strncmp(failure->field, "message", 7) == 0 || failure->failure == P2_FAIL_TIMEOUT ||
                      failure->failure == P2_FAIL_WRONG_KEY;
    return failure->message ? failure->message : is_message ? failure->field : "";
}

struct sentence {
    char *out;
    size_t len;
};

__attribute__((format(printf, 2, 3))) static void say(struct sentence *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(s->out + s->len, FAILURE_TEXT - s->len, format, args);
    va_end(args);
    if (len > 0)
        s->len += (size_t)len < FAILURE_TEXT - s->len ? (size_t)len : FAILURE_TEXT - s->len - 1;
}

static void say_waited(struct sentence *s, const struct failure_view *view)
{
    const struct p2_negotiation *f = view->failure;
    const char *waiting = f->initiator ? view->initiator : view->responder,
               *other = f->initiator ? view->responder : view->initiator, *message = message_of(f);
    bool saw = f->failure == P2_FAIL_WRONG_KEY;
    say(s, "%s waited for %s%s%s of %s", waiting, exchange_name(view), *message ? " " : "", message, other);
    if (f->offered[0])
        say(s, saw ? "; seen: %s" : ": %s", f->offered);
    if (f->acceptable[0] && saw)
        say(s, "%s expected: %s", f->offered[0] ? "," : ";", f->acceptable);
    else if (f->acceptable[0] && !view->unfinished) /* whose time is not over */
        say(s, "%s but not %s", f->offered[0] ? "," : ":", f->acceptable);
}

/* Even messages are the responder's: it is the initiator that refuses them. */
static bool refused_by_initiator(const char *message)
{
    static const char before[] = "message ";
    const char *number = message + sizeof before - 1;
    bool has_number = strncmp(message, before, sizeof before - 1) == 0 && *number >= '0' && *number <= '9';
    return has_number && strtoul(number, NULL, 10) % 2 == 0;
}

/* A key is never shown: that it is another one is all there is to say. */
static void say_keys_differ(struct sentence *s, const struct failure_view *view)
{
    const struct p2_negotiation *f = view->failure;
    const char *refusing = f->initiator ? view->responder : view->initiator;
    if (f->notify_received)
        say(s, ": %s says that it holds another pre-shared key", refusing);
    else
        say(s, ": the pre-shared keys of %s and %s differ", view->initiator, view->responder);
}

/* "group group14" and "lifetime no limit in kilobytes" are not English. */
static void say_offered(struct sentence *s, const char *who, const struct p2_negotiation *f)
{
    static const char no_limit[] = "no limit in ";
    if (strncmp(f->offered, f->field, strlen(f->field)) == 0)
        say(s, ": %s offered %s", who, f->offered);
    else if (strncmp(f->offered, no_limit, sizeof no_limit - 1) == 0)
        say(s, ": %s offered no %s in %s", who, f->field, f->offered + sizeof no_limit - 1);
    else
        say(s, ": %s offered %s %s", who, f->field, f->offered);
}

static void say_values(struct sentence *s, const struct failure_view *view, const char *message)
{
    const struct p2_negotiation *f = view->failure;
    bool swapped = refused_by_initiator(message);
    const char *offers = swapped ? view->responder : view->initiator,
               *accepts = swapped ? view->initiator : view->responder;
    if (strcmp(f->field, "pre-shared-key") == 0)
        say_keys_differ(s, view);
    else if (f->field[0] && f->offered[0])
        say_offered(s, offers, f);
    else if (f->field[0] && strcmp(f->field, message) != 0)
        say(s, ", because of its %s", f->field);
    if (!f->field[0] || !f->offered[0] || strcmp(f->field, "pre-shared-key") == 0)
        return;
    if (f->notify_received)
        say(s, "; %s does not say what it accepts", accepts);
    else if (f->acceptable[0])
        say(s, "%s %s accepts %s", strchr(f->offered, ',') ? ";" : ",", accepts, f->acceptable);
}

static void say_refused(struct sentence *s, const struct failure_view *view)
{
    const struct p2_negotiation *f = view->failure;
    const char *message = message_of(f), *name = p2_failure_name(f->failure);
    char notify[48];
    failure_notify_name(notify, f->notify);
    if (f->failure == P2_FAIL_PEER_REFUSED && *notify)
        name = notify;
    say(s, "%s%s%s was refused with %s", exchange_name(view), *message ? " " : "", message, name);
    say_values(s, view, message);
}

static void say_ended(struct sentence *s, const struct failure_view *view)
{
    static const char *const why[P2_NUM_FAILURES] = {
        [P2_FAIL_PHASE1_LOST] = "the ISAKMP SA went away meanwhile",
        [P2_FAIL_SUPERSEDED] = "its SAs were taken down before it was complete",
        [P2_FAIL_PEER_DEAD] = "the peer did not answer any more and was taken for dead",
        [P2_FAIL_INTERNAL] = "memory ran out or the crypto library refused",
    };
    say(s, "%s was cut short: %s", exchange_name(view), why[view->failure->failure]);
}

void failure_text(char out[FAILURE_TEXT], const struct failure_view *view)
{
    struct sentence s = {out, 0};
    out[0] = '\0';
    say(&s, "%s and %s: %s", view->initiator, view->responder,
        view->unfinished ? "not over when the run ended: " : "");
    switch (view->failure->failure) {
    case P2_FAIL_TIMEOUT:
    case P2_FAIL_WRONG_KEY:
        say_waited(&s, view);
        break;
    case P2_FAIL_PHASE1_LOST:
    case P2_FAIL_SUPERSEDED:
    case P2_FAIL_PEER_DEAD:
    case P2_FAIL_INTERNAL:
        say_ended(&s, view);
        break;
    default:
        say_refused(&s, view);
    }
    if (view->failure->rule)
        say(&s, " (%s)", view->failure->rule);
    say(&s, ".");
}
