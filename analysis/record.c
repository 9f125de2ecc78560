#include "problems.h"
#include "record_field.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <string.h>

#define FIELD_AS(part, member, name, column, kind)                                                           \
    {                                                                                                        \
        name, column, kind, offsetof(struct record, u.part.member),                                          \
            sizeof(((struct record *)0)->u.part.member)                                                      \
    }
#define FIELD(part, member, kind) FIELD_AS(part, member, #member, #member, RECORD_KIND_##kind)

static const struct record_field run_fields[] = {
    FIELD(run, format, TEXT),
    FIELD(run, scenario, TEXT),
    FIELD_AS(run, case_name, "case", "case_name", RECORD_KIND_TEXT),
    FIELD(run, run, COUNT),
    FIELD(run, seed, COUNT),
    FIELD(run, duration_ns, TIME),
};

static const struct record_field negotiation_fields[] = {
    FIELD(negotiation, tunnel, TEXT),
    FIELD(negotiation, initiator, TEXT),
    FIELD(negotiation, responder, TEXT),
    FIELD(negotiation, reason, TEXT),
    FIELD(negotiation, message_id, TEXT),
    FIELD(negotiation, outcome, TEXT),
    FIELD(negotiation, failure, OPTIONAL_TEXT),
    FIELD(negotiation, failure_field, OPTIONAL_TEXT),
    FIELD(negotiation, offered, OPTIONAL_TEXT),
    FIELD(negotiation, acceptable, OPTIONAL_TEXT),
    FIELD(negotiation, explanation, OPTIONAL_TEXT),
    FIELD(negotiation, proposal, OPTIONAL_TEXT),
    FIELD(negotiation, suite, OPTIONAL_TEXT),
    FIELD(negotiation, pfs_group, OPTIONAL_INT),
    FIELD(negotiation, started_ns, TIME),
    FIELD(negotiation, latency_ns, OPTIONAL_TIME),
    FIELD(negotiation, network_ns, OPTIONAL_TIME),
    FIELD(negotiation, cpu_ns, OPTIONAL_TIME),
    FIELD(negotiation, cpu_wait_ns, OPTIONAL_TIME),
    FIELD(negotiation, retransmission_wait_ns, OPTIONAL_TIME),
    FIELD(negotiation, initiator_ready_ns, OPTIONAL_TIME),
    FIELD(negotiation, responder_ready_ns, OPTIONAL_TIME),
    FIELD(negotiation, cpu_off_path_ns, TIME),
    FIELD(negotiation, retransmissions, COUNT),
    FIELD(negotiation, blackout_ns, OPTIONAL_TIME),
    FIELD(negotiation, packets_lost, COUNT),
};

static const struct record_field phase1_fields[] = {
    FIELD(phase1, initiator, TEXT),
    FIELD(phase1, responder, TEXT),
    FIELD(phase1, mode, TEXT),
    FIELD(phase1, outcome, TEXT),
    FIELD(phase1, failure, OPTIONAL_TEXT),
    FIELD(phase1, failure_field, OPTIONAL_TEXT),
    FIELD(phase1, explanation, OPTIONAL_TEXT),
    FIELD(phase1, started_ns, TIME),
    FIELD(phase1, latency_ns, OPTIONAL_TIME),
};

static const struct record_field failure_fields[] = {
    FIELD(failure, phase, COUNT),
    FIELD(failure, cookie, TEXT),
    FIELD(failure, message_id, TEXT),
    FIELD(failure, tunnel, OPTIONAL_TEXT),
    FIELD(failure, side, TEXT),
    FIELD(failure, gateway, TEXT),
    FIELD(failure, peer, TEXT),
    FIELD(failure, failure, TEXT),
    FIELD(failure, message, OPTIONAL_TEXT),
    FIELD(failure, rule, OPTIONAL_TEXT),
    FIELD(failure, notify, OPTIONAL_TEXT),
    FIELD(failure, notify_was, OPTIONAL_TEXT),
    FIELD(failure, field, OPTIONAL_TEXT),
    FIELD(failure, offered, OPTIONAL_TEXT),
    FIELD(failure, acceptable, OPTIONAL_TEXT),
};

static const struct record_field flow_fields[] = {
    FIELD(flow, name, TEXT),
    FIELD(flow, sent, COUNT),
    FIELD(flow, received, COUNT),
    FIELD(flow, delivered, COUNT),
    FIELD(flow, false_positives, COUNT),
    FIELD(flow, lost_on_links, COUNT),
    FIELD(flow, lost_without_sa, COUNT),
    FIELD(flow, lost_too_big, COUNT),
    FIELD(flow, lost_to_cpu, COUNT),
    FIELD(flow, lost_otherwise, COUNT),
    FIELD(flow, unaccounted, COUNT),
    FIELD(flow, icmp_too_big, COUNT),
    FIELD(flow, size_bytes, COUNT),
    FIELD(flow, protected_packets, COUNT),
    FIELD(flow, protected_bytes, COUNT),
    FIELD(flow, longest_gap_ns, TIME),
    FIELD(flow, mean_delay_ns, TIME),
    FIELD(flow, first_delivery_ns, OPTIONAL_TIME),
};

static const struct record_field drop_fields[] = {
    FIELD(drop, gateway, TEXT),
    FIELD(drop, reason, TEXT),
    FIELD(drop, packets, COUNT),
};

static const struct record_field cpu_fields[] = {
    FIELD(cpu, gateway, TEXT), FIELD(cpu, cores, COUNT),    FIELD(cpu, jobs, COUNT),
    FIELD(cpu, busy_ns, TIME), FIELD(cpu, waited_ns, TIME), FIELD(cpu, longest_queue, COUNT),
};

static const struct record_field sadb_fields[] = {
    FIELD(sadb, gateway, TEXT),
    FIELD(sadb, sas, COUNT),
    FIELD(sadb, left_over, COUNT),
};

static const struct record_field sa_fields[] = {
    FIELD(sa, tunnel, TEXT),        FIELD(sa, gateway, TEXT),
    FIELD(sa, direction, TEXT),     FIELD(sa, protocol, TEXT),
    FIELD(sa, spi, TEXT),           FIELD(sa, packets, COUNT),
    FIELD(sa, bytes, COUNT),        FIELD(sa, accepted, COUNT),
    FIELD(sa, replayed, COUNT),     FIELD(sa, too_old, COUNT),
    FIELD(sa, icv_mismatch, COUNT), FIELD(sa, other, COUNT),
    FIELD(sa, installed_ns, TIME),  FIELD(sa, removed_ns, OPTIONAL_TIME),
    FIELD(sa, why, OPTIONAL_TEXT),
};

static const struct record_field attack_fields[] = {
    FIELD(attack, kind, TEXT),          FIELD(attack, method, TEXT),
    FIELD(attack, link, TEXT),          FIELD(attack, at_ns, TIME),
    FIELD(attack, recorded, COUNT),     FIELD(attack, injected, COUNT),
    FIELD(attack, ike, COUNT),          FIELD(attack, arrived, COUNT),
    FIELD(attack, replayed, COUNT),     FIELD(attack, too_old, COUNT),
    FIELD(attack, icv_mismatch, COUNT), FIELD(attack, unknown_spi, COUNT),
    FIELD(attack, other, COUNT),        FIELD(attack, other_reasons, OPTIONAL_TEXT),
    FIELD(attack, answered, COUNT),     FIELD(attack, unfinished, COUNT),
    FIELD(attack, accepted, COUNT),     FIELD(attack, came_first, COUNT),
    FIELD(attack, live, COUNT),
};

static const struct record_field compromise_fields[] = {
    FIELD(compromise, link, TEXT),         FIELD(compromise, at_ns, TIME),
    FIELD(compromise, knows, TEXT),        FIELD(compromise, isakmp_sas, COUNT),
    FIELD(compromise, quick_modes, COUNT), FIELD(compromise, quick_modes_read, COUNT),
    FIELD(compromise, packets, COUNT),     FIELD(compromise, packets_read, COUNT),
};

static const struct record_field reading_fields[] = {
    FIELD(reading, link, TEXT),          FIELD(reading, at_ns, TIME),       FIELD(reading, knows, TEXT),
    FIELD(reading, spi, TEXT),           FIELD(reading, negotiation, TEXT), FIELD(reading, packets, COUNT),
    FIELD(reading, packets_read, COUNT),
};

static const struct record_field end_fields[] = {
    FIELD(end, records, COUNT),
    FIELD(end, simulated_ns, TIME),
    FIELD(end, events, COUNT),
};

#define LAYOUT(name, table)                                                                                  \
    {                                                                                                        \
#name, table, name##_fields, sizeof name##_fields / sizeof name##_fields[0]                          \
    }

static const struct record_layout layouts[RECORD_NUM_TYPES] = {
    [RECORD_RUN] = LAYOUT(run, "runs"),
    [RECORD_NEGOTIATION] = LAYOUT(negotiation, "negotiations"),
    [RECORD_PHASE1] = LAYOUT(phase1, "phase1_negotiations"),
    [RECORD_FAILURE] = LAYOUT(failure, "failures"),
    [RECORD_FLOW] = LAYOUT(flow, "flows"),
    [RECORD_DROP] = LAYOUT(drop, "drops"),
    [RECORD_CPU] = LAYOUT(cpu, "cpus"),
    [RECORD_SADB] = LAYOUT(sadb, "sadbs"),
    [RECORD_SA] = LAYOUT(sa, "sas"),
    [RECORD_ATTACK] = LAYOUT(attack, "attacks"),
    [RECORD_COMPROMISE] = LAYOUT(compromise, "compromises"),
    [RECORD_READING] = LAYOUT(reading, "readings"),
    [RECORD_END] = LAYOUT(end, "ends"),
};

const struct record_layout *record_layout_of(enum record_type type)
{
    assert((unsigned)type < RECORD_NUM_TYPES);
    return &layouts[type];
}

int record_field_get(const struct record *record, const struct record_field *field,
                     struct record_value *value)
{
    const char *at = (const char *)record + field->offset;
    *value = (struct record_value){0};
    switch (field->kind) {
    case RECORD_KIND_TEXT:
    case RECORD_KIND_OPTIONAL_TEXT:
        value->text = at;
        value->is_null = field->kind == RECORD_KIND_OPTIONAL_TEXT && *at == '\0';
        return 0;
    case RECORD_KIND_COUNT:
        if (*(const uint64_t *)(const void *)at > INT64_MAX) {
            errno = EOVERFLOW;
            return -1;
        }
        value->integer = (int64_t) * (const uint64_t *)(const void *)at;
        return 0;
    case RECORD_KIND_TIME:
    case RECORD_KIND_OPTIONAL_TIME:
        value->integer = *(const int64_t *)(const void *)at;
        value->is_null = field->kind == RECORD_KIND_OPTIONAL_TIME && value->integer == -1;
        return 0;
    case RECORD_KIND_OPTIONAL_INT:
        value->integer = *(const int *)(const void *)at;
        value->is_null = value->integer == 0;
        return 0;
    }
    assert(false && "a kind without a reader");
    return -1;
}

static int set_text(char *at, const struct record_field *field, const struct record_value *value)
{
    const char *text = value->is_null ? "" : value->text;
    if (!text || strlen(text) >= field->size)
        return -1;
    memcpy(at, text, strlen(text) + 1);
    return 0;
}

int record_field_set(struct record *record, const struct record_field *field,
                     const struct record_value *value)
{
    char *at = (char *)record + field->offset;
    bool is_text = field->kind == RECORD_KIND_TEXT || field->kind == RECORD_KIND_OPTIONAL_TEXT;
    bool optional = field->kind == RECORD_KIND_OPTIONAL_TEXT || field->kind == RECORD_KIND_OPTIONAL_TIME ||
                    field->kind == RECORD_KIND_OPTIONAL_INT;
    if (value->is_null ? !optional : is_text != (value->text != NULL))
        return -1;
    if (is_text)
        return set_text(at, field, value);
    if (field->kind == RECORD_KIND_COUNT) {
        if (value->integer < 0)
            return -1;
        *(uint64_t *)(void *)at = (uint64_t)value->integer;
    } else if (field->kind == RECORD_KIND_OPTIONAL_INT) {
        if (!value->is_null && (value->integer < INT_MIN || value->integer > INT_MAX))
            return -1;
        *(int *)(void *)at = value->is_null ? 0 : (int)value->integer;
    } else {
        *(int64_t *)(void *)at = value->is_null ? -1 : value->integer;
    }
    return 0;
}

static json_t *json_of(const struct record_value *value)
{
    if (value->is_null)
        return json_null();
    return value->text ? json_string(value->text) : json_integer(value->integer);
}

int record_write(FILE *out, const struct record *record)
{
    const struct record_layout *layout = record_layout_of(record->type);
    json_t *object = json_object();
    int failed = !object || json_object_set_new(object, "type", json_string(layout->type));
    if (failed)
        errno = ENOMEM;
    for (size_t i = 0; !failed && i < layout->num_fields; i++) {
        struct record_value value;
        failed = record_field_get(record, &layout->fields[i], &value);
        /* jansson refuses text that is not UTF-8, and says no more than that. */
        if (!failed && json_object_set_new(object, layout->fields[i].name, json_of(&value))) {
            errno = EILSEQ;
            failed = -1;
        }
    }
    if (!failed)
        failed = json_dumpf(object, out, JSON_COMPACT | JSON_PRESERVE_ORDER) || fputc('\n', out) == EOF;
    json_decref(object);
    return failed ? -1 : 0;
}

static int parse_type(const json_t *object, enum record_type *type, char *message, size_t message_size)
{
    const char *name = json_string_value(json_object_get(object, "type"));
    for (unsigned i = 0; name && i < RECORD_NUM_TYPES; i++) {
        if (strcmp(name, layouts[i].type) == 0) {
            *type = (enum record_type)i;
            return 0;
        }
    }
    if (name)
        snprintf(message, message_size, "unknown record type \"%s\"", problems_quote(name).text);
    else
        snprintf(message, message_size, "a record without \"type\"");
    return -1;
}

/* An absent member counts as null. */
static int parse_field(const json_t *object, struct record *record, const struct record_field *field)
{
    const json_t *member = json_object_get(object, field->name);
    struct record_value value = {.is_null = !member || json_is_null(member)};
    if (json_is_string(member))
        value.text = json_string_value(member);
    else if (json_is_integer(member))
        value.integer = json_integer_value(member);
    else if (!value.is_null)
        return -1;
    return record_field_set(record, field, &value);
}

static void explain_field(const json_t *object, const char *type, const struct record_field *field,
                          char *message, size_t message_size)
{
    static const char *const wanted[] = {
        [RECORD_KIND_TEXT] = "text",
        [RECORD_KIND_OPTIONAL_TEXT] = "text or null",
        [RECORD_KIND_COUNT] = "a count",
        [RECORD_KIND_TIME] = "an integer",
        [RECORD_KIND_OPTIONAL_TIME] = "an integer or null",
        [RECORD_KIND_OPTIONAL_INT] = "a small integer or null",
    };
    json_t *member = json_object_get(object, field->name);
    char *found = member ? json_dumps(member, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    bool is_text = field->kind == RECORD_KIND_TEXT || field->kind == RECORD_KIND_OPTIONAL_TEXT;
    if (is_text && json_is_string(member))
        snprintf(message, message_size, "%s record: \"%s\" is longer than %zu bytes", type, field->name,
                 field->size - 1);
    else
        snprintf(message, message_size, "%s record: \"%s\" is %.60s, not %s", type, field->name,
                 found ? found : "missing", wanted[field->kind]);
    free(found);
}

int record_parse(const char *line, size_t len, struct record *record, char *message, size_t message_size)
{
    json_error_t error;
    json_t *object = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
    memset(record, 0, sizeof *record);
    if (!object) {
        snprintf(message, message_size, "not a JSON object: %s (byte %d)", problems_quote(error.text).text,
                 error.position);
        return -1;
    }
    int failed = parse_type(object, &record->type, message, message_size);
    const struct record_layout *layout = failed ? NULL : record_layout_of(record->type);
    for (size_t i = 0; layout && !failed && i < layout->num_fields; i++) {
        failed = parse_field(object, record, &layout->fields[i]);
        if (failed)
            explain_field(object, layout->type, &layout->fields[i], message, message_size);
    }
    json_decref(object);
    return failed;
}
