/* The ladder of two peers: time down the side, a message a line, packets of data between them in runs. */
#include "write.h"

#include "figure_text.h"
#include "story.h"
#include "text_layout.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { ARROW = 58, MAX_ROWS = 1000 };

/* "|--- Quick Mode 1: HASH, SA, Ni ------------>|" */
static void draw(FILE *out, const char *label, bool to_right, char shaft)
{
    char text[ARROW + 1];
    size_t len = strlen(label);
    memset(text, shaft, ARROW);
    text[ARROW] = '\0';
    size_t at = 3, room = ARROW - 8;
    if (len > room)
        len = room;
    text[at] = ' ';
    memcpy(text + at + 1, label, len);
    text[at + 1 + len] = ' ';
    if (len == room && strlen(label) > room)
        memcpy(text + at + 1 + len - 3, "...", 3);
    text[to_right ? ARROW - 1 : 0] = to_right ? '>' : '<';
    fprintf(out, "|%s|", text);
}

/* Message 3 and notifies wait for no answer, so nobody but the other end asks for them again. */
static const char *why_again(const struct explanation *e, const struct explain_message *original,
                             const struct explain_message *copy)
{
    if (original->number == 3 || original->header.exchange_type == P2_EXCHANGE_INFORMATIONAL)
        return "asked for again, or doubled";
    return story_was_answered(e, original, copy->at) ? "the answer was lost" : "lost, or its answer";
}

static bool expects_answer(const struct explain_message *original)
{
    return original->header.exchange_type == P2_EXCHANGE_QUICK &&
           (original->number == 1 || original->number == 2);
}

static void remark(FILE *out, const struct explanation *e, size_t message,
                   const struct explain_options *options)
{
    const struct explain_message *m = &e->messages[message], *original = explain_original(e, m);
    const struct explain_exchange *x = &e->exchanges[original->exchange];
    const char *comma = "  ";
    if (m->header.message_id != 0) {
        fprintf(out, "%s%08" PRIx32, comma, m->header.message_id);
        comma = ", ";
    }
    if (m->copy_of != EXPLAIN_NONE) {
        char waited[FIGURE_TEXT];
        figure_text_ns(waited, (double)(m->at - original->at));
        fprintf(out, "%sagain after %s (frame %" PRIu64 "): %s", comma, waited, original->frame,
                why_again(e, original, m));
        comma = "; ";
    } else if (original->hash == EXPLAIN_HASH_GOOD) {
        fputs(comma, out);
        text_styled(out, options->colour, TEXT_GOOD, "HASH good");
        comma = ", ";
    } else if (original->hash == EXPLAIN_HASH_BAD) {
        fputs(comma, out);
        text_styled(out, options->colour, TEXT_BAD, "HASH BAD");
        comma = ", ";
    } else if (original->reading == EXPLAIN_NONSENSE || original->reading == EXPLAIN_BROKEN) {
        fputs(comma, out);
        text_styled(out, options->colour, TEXT_BAD,
                    original->reading == EXPLAIN_BROKEN ? "broken" : "does not decrypt");
        comma = ", ";
    }
    bool last = original->last_copy == (m == original ? EXPLAIN_NONE : message);
    bool unanswered =
        x->quick && expects_answer(original) && x->part[original->number] == EXPLAIN_NONE && x->notify == 0;
    if (last && unanswered) {
        fputs(comma, out);
        text_styled(out, options->colour, TEXT_BAD, "never answered");
    }
}

static void write_message(FILE *out, const struct explanation *e, const struct explain_event *event,
                          const struct explain_options *options)
{
    const struct explain_message *m = &e->messages[event->message];
    char name[64], payloads[256], label[352];
    story_message_name(e, m, name, sizeof name);
    story_payloads(e, m, payloads, sizeof payloads);
    snprintf(label, sizeof label, "%s: %s", name, payloads);
    fprintf(out, "%12.6f %8" PRIu64 "  ", explain_since(e, m->at), m->frame);
    draw(out, label, event->from_first, '-');
    remark(out, e, event->message, options);
    fputc('\n', out);
}

static void write_run(FILE *out, const struct explanation *e, const struct explain_event *event,
                      const struct explain_options *options)
{
    const struct explain_sa *sa = &e->sas[event->sa];
    char label[128], trouble[128];
    snprintf(label, sizeof label, "%" PRIu64 " %s%s, SPI %08" PRIx32 "%s", event->packets,
             sa->protocol == P2_PROTO_AH ? "AH" : "ESP", sa->in_udp ? " in UDP" : "", sa->spi,
             sa->exchange == EXPLAIN_NONE && sa->known == EXPLAIN_NONE ? " (unknown)" : "");
    fprintf(out, "%12.6f %8" PRIu64 "  ", explain_since(e, event->first_at), event->first_frame);
    draw(out, label, event->from_first, '=');
    if (event->packets > 1)
        fprintf(out, "  to %.6f, frame %" PRIu64, explain_since(e, event->last_at), event->last_frame);
    if (event->bad + event->replayed + event->too_old > 0) {
        snprintf(trouble, sizeof trouble, "  %" PRIu64 " bad ICV, %" PRIu64 " replayed, %" PRIu64 " too old",
                 event->bad, event->replayed, event->too_old);
        text_styled(out, options->colour, TEXT_BAD, trouble);
    }
    fputc('\n', out);
}

/* What is written of a ladder so far. */
struct rows {
    size_t written, more;  /* lines; left out, since there are too many */
    size_t unread, hidden; /* messages in a row that cannot be read; those of them that are not shown */
};

static void tell_hidden(FILE *out, struct rows *rows)
{
    if (rows->hidden > 0)
        fprintf(out, "%23s and %zu more that do not decrypt\n", "", rows->hidden);
    rows->unread = rows->hidden = 0;
}

/* Of a flood of what cannot be read the first few are enough. */
static bool is_hidden(const struct explanation *e, const struct explain_event *event, struct rows *rows)
{
    enum { MAX_UNREAD = 5 };
    bool unread = event->message != EXPLAIN_NONE &&
                  explain_original(e, &e->messages[event->message])->reading == EXPLAIN_NONSENSE;
    rows->unread = unread ? rows->unread + 1 : rows->unread;
    rows->hidden += unread && rows->unread > MAX_UNREAD;
    return unread && rows->unread > MAX_UNREAD;
}

static void write_event(FILE *out, const struct explanation *e, const struct explain_event *event,
                        struct rows *rows, const struct explain_options *options)
{
    bool full = rows->written >= MAX_ROWS && !options->verbose;
    if (!options->verbose && is_hidden(e, event, rows))
        return;
    if (full) {
        rows->more++;
        return;
    }
    rows->written++;
    if (event->message == EXPLAIN_NONE) {
        write_run(out, e, event, options);
        return;
    }
    if (explain_original(e, &e->messages[event->message])->reading != EXPLAIN_NONSENSE)
        tell_hidden(out, rows);
    write_message(out, e, event, options);
}

int explain_write_ladder(FILE *out, const struct explanation *e, size_t pair,
                         const struct explain_options *options)
{
    const struct explain_pair *p = &e->pairs[pair];
    char left[P2_ADDRESS_TEXT], right[P2_ADDRESS_TEXT];
    struct rows rows = {0};
    p2_address_format(&p->peer[0], left);
    p2_address_format(&p->peer[1], right);
    fprintf(out, "%12s %8s  %-*s%s\n", "seconds", "frame", (int)(ARROW + 2 - strlen(right)), left, right);
    for (size_t k = p->first_event; k != EXPLAIN_NONE; k = e->events[k].next)
        write_event(out, e, &e->events[k], &rows, options);
    tell_hidden(out, &rows);
    if (rows.more > 0)
        fprintf(out, "and %zu lines more, which --verbose shows\n", rows.more);
    fputc('\n', out);
    return P2_OK;
}
