/* The explanation as JSON, "phase2sim-explain/1" (README, "What explain answers"). */
#include "write.h"

#include "dissect.h"
#include "story.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- pieces --- */

/* A file's name need not be UTF-8, which JSON is: then question marks stand for what is not ASCII. */
static json_t *file_name(const char *name)
{
    json_t *string = json_string(name);
    char *ascii = string ? NULL : strdup(name);
    for (char *byte = ascii; byte && *byte; byte++)
        if ((unsigned char)*byte >= 0x80)
            *byte = '?';
    if (ascii)
        string = json_string(ascii);
    free(ascii);
    return string;
}

static json_t *hex(const uint8_t *data, size_t len)
{
    char *text = malloc(2 * len + 1);
    if (!text)
        return NULL;
    for (size_t i = 0; i < len; i++)
        sprintf(text + 2 * i, "%02x", data[i]);
    text[2 * len] = '\0';
    json_t *string = json_string(text);
    free(text);
    return string;
}

static json_t *hex32(uint32_t value)
{
    uint8_t bytes[4];
    p2_put_u32(bytes, value);
    return hex(bytes, sizeof bytes);
}

static json_t *address(const struct p2_address *a)
{
    char text[P2_ADDRESS_TEXT];
    p2_address_format(a, text);
    return a->family == 0 ? json_null() : json_string(text);
}

static json_t *seconds(const struct explanation *e, p2_time at)
{
    char text[32];
    snprintf(text, sizeof text, "%lld.%09lld", (long long)((at - e->first_at) / P2_SECOND),
             (long long)((at - e->first_at) % P2_SECOND));
    return json_string(text);
}

static json_t *number(uint64_t value)
{
    return json_integer((json_int_t)value);
}

/* null: nothing to verify it with. */
static json_t *verdict(enum explain_hash hash)
{
    if (hash == EXPLAIN_HASH_GOOD || hash == EXPLAIN_HASH_BAD)
        return json_boolean(hash == EXPLAIN_HASH_GOOD);
    return json_null();
}

/* The object with one more member, or NULL when out of memory: nothing may be missing without a word. */
static json_t *set(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) == 0)
        return object;
    json_decref(object);
    return NULL;
}

static json_t *append(json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) == 0)
        return array;
    json_decref(array);
    return NULL;
}

static json_t *text_of(const struct lines *lines)
{
    json_t *array = json_array();
    for (size_t i = 0; i < lines->num; i++)
        array = append(array, json_string(lines->list[i]));
    return array;
}

static json_t *cookies(const struct explanation *e, const struct explain_exchange *x, json_t *object)
{
    const struct explain_isakmp *i = &e->isakmps[x->isakmp];
    object = set(object, "initiator_cookie", hex(i->initiator_cookie, 8));
    object = set(object, "responder_cookie", hex(i->responder_cookie, 8));
    object = set(object, "message_id", hex32(x->message_id));
    return object;
}

/* The next one of an array, on a line of its own; it is used up. P2_OK or P2_ERR_NOMEM. */
static int write_item(FILE *out, json_t *item, bool *first)
{
    fputs(*first ? "\n" : ",\n", out);
    *first = false;
    int r = item && (json_dumpf(item, out, JSON_PRESERVE_ORDER) == 0 || ferror(out)) ? P2_OK : P2_ERR_NOMEM;
    json_decref(item);
    return r;
}

/* --- quick modes --- */

static json_t *algorithm(const char *name)
{
    return name[0] == '\0' || strcmp(name, "none") == 0 ? json_null() : json_string(name);
}

static json_t *write_sa(const struct explain_sa *sa)
{
    static const char *const modes[] = {NULL, "tunnel", "transport"};
    json_t *o = json_object();
    o = set(o, "spi", hex32(sa->spi));
    o = set(o, "protocol", json_string(sa->protocol == P2_PROTO_AH ? "ah" : "esp"));
    o = set(o, "mode", sa->mode == 1 || sa->mode == 2 ? json_string(modes[sa->mode]) : json_null());
    o = set(o, "encryption", algorithm(sa->encryption));
    o = set(o, "authentication", algorithm(sa->authentication));
    o = set(o, "encryption_key",
            sa->has_keys ? hex(sa->encryption_key, sa->encryption_key_len) : json_null());
    o = set(o, "authentication_key",
            sa->has_keys ? hex(sa->authentication_key, sa->authentication_key_len) : json_null());
    o = set(o, "source", address(&sa->source));
    o = set(o, "destination", address(&sa->destination));
    o = set(o, "in_udp", json_boolean(sa->in_udp));
    o = set(o, "extended_sequence_numbers", json_boolean(sa->esn));
    o = set(o, "lifetime_s", sa->lifetime_s ? number(sa->lifetime_s) : json_null());
    o = set(o, "lifetime_kb", sa->lifetime_kb ? number(sa->lifetime_kb) : json_null());
    o = set(o, "packets", number(sa->packets));
    o = set(o, "icv_ok", number(sa->icv_ok));
    o = set(o, "icv_bad", number(sa->icv_bad));
    o = set(o, "no_icv", number(sa->no_icv));
    o = set(o, "replayed", number(sa->replayed));
    o = set(o, "too_old", number(sa->too_old));
    o = set(o, "out_of_order", number(sa->late));
    o = set(o, "outside_proxy_ids", number(sa->outside));
    o = set(o, "deleted", json_boolean(sa->deleted != EXPLAIN_NONE));
    return o;
}

static json_t *write_hashes(const struct explanation *e, const struct explain_exchange *x)
{
    static const char *const names[] = {"1", "2", "3"};
    json_t *o = json_object();
    for (size_t i = 0; i < 3; i++) {
        if (x->part[i] != EXPLAIN_NONE)
            o = set(o, names[i], verdict(e->messages[x->part[i]].hash));
    }
    return o;
}

static json_t *write_notify(const struct explain_exchange *x)
{
    char buffer[DISSECT_TEXT];
    return x->notify == 0 ? json_null() : json_string(isakmp_notify_name(x->notify, buffer));
}

static json_t *write_proxy_ids(const struct explain_exchange *x)
{
    json_t *array = json_array();
    for (size_t i = 0; i < 2 && x->has_ids; i++) {
        char text[P2_SELECTOR_TEXT];
        p2_selector_format(&x->ids[i], text);
        array = append(array, json_string(text));
    }
    return array;
}

static int write_quick_mode(FILE *out, const struct explanation *e, size_t exchange, bool *first)
{
    const struct explain_exchange *x = &e->exchanges[exchange];
    char group[24];
    struct lines lines = {0};
    json_t *o = cookies(e, x, json_object()), *sas = json_array();
    explain_group_name(x->group, group, sizeof group);
    o = set(o, "started_by", json_string(explain_started_by_initiator(e, x) ? "initiator" : "responder"));
    o = set(o, "started_by_address", address(&x->starter));
    o = set(o, "messages", number(x->messages));
    o = set(o, "outcome", json_string(explain_outcome_name(explain_outcome(e, x))));
    o = set(o, "notify", write_notify(x));
    o = set(o, "pfs_group", x->group == 0 ? json_null() : json_string(group));
    o = set(o, "hashes", write_hashes(e, x));
    o = set(o, "proxy_ids", write_proxy_ids(x));
    for (size_t i = 0; i < x->num_sas; i++)
        sas = append(sas, write_sa(&e->sas[x->sas[i]]));
    o = set(o, "sas", sas);
    o = set(o, "began", seconds(e, x->began));
    o = set(o, "ended", seconds(e, x->ended));
    story_of_quick_mode(e, exchange, &lines);
    o = set(o, "story", text_of(&lines));
    int r = lines.out_of_memory ? P2_ERR_NOMEM : P2_OK;
    lines_cleanup(&lines);
    return write_item(out, o, first) < 0 ? P2_ERR_NOMEM : r;
}

/* --- the others --- */

static int write_other(FILE *out, const struct explanation *e, size_t exchange, bool *first)
{
    const struct explain_exchange *x = &e->exchanges[exchange];
    const struct explain_message *m = &e->messages[x->first];
    static const char *const readings[] = {[EXPLAIN_CLEAR] = "clear",
                                           [EXPLAIN_DECRYPTED] = "decrypted",
                                           [EXPLAIN_NO_KEYS] = "no keys",
                                           [EXPLAIN_NONSENSE] = "not decryptable",
                                           [EXPLAIN_BROKEN] = "broken"};
    char buffer[DISSECT_TEXT];
    struct lines lines = {0};
    json_t *o = cookies(e, x, json_object());
    o = set(o, "exchange", json_string(isakmp_exchange_name(x->type, buffer)));
    o = set(o, "from", address(&m->source));
    o = set(o, "messages", number(x->messages));
    o = set(o, "reading", json_string(readings[m->reading]));
    o = set(o, "hash", verdict(m->hash));
    story_of_exchange(e, exchange, &lines);
    o = set(o, "story", text_of(&lines));
    int r = lines.out_of_memory ? P2_ERR_NOMEM : P2_OK;
    lines_cleanup(&lines);
    return write_item(out, o, first) < 0 ? P2_ERR_NOMEM : r;
}

static json_t *write_isakmps(const struct explanation *e)
{
    json_t *array = json_array();
    for (size_t k = 0; k < e->num_isakmps; k++) {
        const struct explain_isakmp *i = &e->isakmps[k];
        json_t *o = json_object();
        o = set(o, "initiator_cookie", hex(i->initiator_cookie, 8));
        o = set(o, "responder_cookie", hex(i->responder_cookie, 8));
        o = set(o, "initiator", address(&i->initiator));
        o = set(o, "initiator_assumed", json_boolean(!i->initiator_known));
        o = set(o, "phase1_in_capture", json_boolean(i->phase1 != EXPLAIN_NONE));
        o = set(o, "has_keys", json_boolean(i->can_decrypt));
        o = set(o, "opened", number(i->opened));
        o = set(o, "not_opened", number(i->nonsense));
        array = append(array, o);
    }
    return array;
}

static json_t *write_ipsec(const struct explanation *e)
{
    const struct explain_ipsec_counts *c = &e->ipsec;
    json_t *o = json_object(), *unknown = json_array();
    o = set(o, "packets", number(c->packets));
    o = set(o, "icv_ok", number(c->icv_ok));
    o = set(o, "icv_bad", number(c->icv_bad));
    o = set(o, "unknown_spi", number(c->unknown_spi));
    o = set(o, "replayed", number(c->replayed));
    o = set(o, "too_old", number(c->too_old));
    o = set(o, "no_icv", number(c->no_icv));
    o = set(o, "no_keys", number(c->no_keys));
    o = set(o, "replay_window", number(e->window_width));
    for (size_t i = 0; i < e->num_sas; i++) {
        if (e->sas[i].exchange == EXPLAIN_NONE && e->sas[i].packets > 0)
            unknown = append(unknown, write_sa(&e->sas[i]));
    }
    o = set(o, "sas_without_quick_mode", unknown);
    return o;
}

static json_t *write_capture(const struct explanation *e, const struct explain_options *options)
{
    json_t *o = json_object();
    o = set(o, "file", file_name(options->file));
    o = set(o, "link_type", json_integer(e->link_type));
    o = set(o, "frames", number(e->frames.frames));
    o = set(o, "isakmp_messages", number(e->isakmp_messages));
    o = set(o, "foreign_packets", number(e->foreign + e->frames.not_ip + e->frames.malformed_ip));
    o = set(o, "broken", e->broken[0] ? json_string(e->broken) : json_null());
    return o;
}

/* --- every field --- */

static json_t *write_fields(const struct dissection *d, const struct explain_message *m, const uint8_t *plain)
{
    json_t *array = json_array();
    for (size_t i = 0; i < d->num; i++) {
        const struct dissect_field *f = &d->fields[i];
        const uint8_t *bytes = f->where == DISSECT_PLAIN ? plain : m->packet;
        json_t *o = json_object();
        o = set(o, "name", json_string(f->name));
        o = set(o, "depth", json_integer(f->depth));
        o = set(o, "filter", f->filter ? json_string(f->filter) : json_null());
        o = set(o, "section", f->section ? json_string(f->section) : json_null());
        o = set(o, "decrypted", json_boolean(f->where == DISSECT_PLAIN));
        o = set(o, "offset", number(f->offset));
        o = set(o, "len", number(f->len));
        o = set(o, "bytes", f->leaf && f->len > 0 ? hex(bytes + f->offset, f->len) : json_null());
        o = set(o, "text", json_string(f->text));
        array = append(array, o);
    }
    return array;
}

static int write_message(FILE *out, const struct explanation *e, const struct explain_message *m,
                         struct dissection *d, bool *first)
{
    const struct explain_message *original = explain_original(e, m);
    struct dissect_input input = {.packet = {m->packet, m->packet_len}};
    json_t *o = cookies(e, &e->exchanges[m->exchange], json_object());
    if (original->reading == EXPLAIN_DECRYPTED)
        input.plain = (struct p2_bytes){original->plain, original->plain_len};
    dissect(d, &input);
    o = set(o, "frame", number(m->frame));
    o = set(o, "time", seconds(e, m->at));
    o = set(o, "copy_of_frame", m == original ? json_null() : number(original->frame));
    o = set(o, "fields", write_fields(d, m, original->plain));
    return write_item(out, o, first) < 0 || d->out_of_memory ? P2_ERR_NOMEM : P2_OK;
}

/* --- all of it --- */

static bool is_other(const struct explain_exchange *x)
{
    return !x->quick && (x->message_id != 0 || x->type == P2_EXCHANGE_INFORMATIONAL);
}

/* "key": [...], an item a line: a capture may have very many, so they are not built up first. */
static int write_quick_modes(FILE *out, const struct explanation *e)
{
    bool first = true;
    int r = P2_OK;
    fputs(",\n\"quick_modes\": [", out);
    for (size_t i = 0; i < e->num_exchanges && r == P2_OK; i++) {
        if (e->exchanges[i].quick)
            r = write_quick_mode(out, e, i, &first);
    }
    fputs("]", out);
    return r;
}

static int write_others(FILE *out, const struct explanation *e)
{
    bool first = true;
    int r = P2_OK;
    fputs(",\n\"informational\": [", out);
    for (size_t i = 0; i < e->num_exchanges && r == P2_OK; i++) {
        if (is_other(&e->exchanges[i]))
            r = write_other(out, e, i, &first);
    }
    fputs("]", out);
    return r;
}

static int write_messages(FILE *out, const struct explanation *e)
{
    struct dissection d = {0};
    bool first = true;
    int r = P2_OK;
    fputs(",\n\"messages\": [", out);
    for (size_t i = 0; i < e->num_messages && r == P2_OK; i++)
        r = write_message(out, e, &e->messages[i], &d, &first);
    fputs("]", out);
    dissection_cleanup(&d);
    return r;
}

static json_t *write_head(const struct explanation *e, const struct explain_options *options,
                          struct lines *notes)
{
    json_t *head = json_object();
    story_of_capture(e, notes);
    head = set(head, "format", json_string("phase2sim-explain/1"));
    head = set(head, "capture", write_capture(e, options));
    head = set(head, "notes", text_of(notes));
    head = set(head, "isakmp_sas", write_isakmps(e));
    head = set(head, "ipsec", write_ipsec(e));
    return head;
}

int explain_write_json(FILE *out, const struct explanation *e, const struct explain_options *options)
{
    struct lines notes = {0};
    json_t *head = write_head(e, options, &notes);
    int r = notes.out_of_memory ? P2_ERR_NOMEM : P2_OK;
    fputc('{', out);
    if (!head ||
        (json_dumpf(head, out, JSON_EMBED | JSON_INDENT(1) | JSON_PRESERVE_ORDER) < 0 && !ferror(out)))
        r = P2_ERR_NOMEM;
    json_decref(head);
    lines_cleanup(&notes);
    if (r == P2_OK)
        r = write_quick_modes(out, e);
    if (r == P2_OK)
        r = write_others(out, e);
    if (r == P2_OK && options->verbose)
        r = write_messages(out, e);
    fputs("}\n", out);
    return r;
}
