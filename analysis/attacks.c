/* What attackers did, from the store. */
#include "summary.h"

#include <stdlib.h>
#include <string.h>

static int add_attack(void *context, const struct store_cell *cells, size_t num_cells)
{
    struct summary_case *of_case = context;
    struct summary_attack *attacks =
        realloc(of_case->attacks, (of_case->num_attacks + 1) * sizeof *of_case->attacks);
    (void)num_cells;
    if (!attacks)
        return -2;
    of_case->attacks = attacks;
    struct summary_attack *attack = &attacks[of_case->num_attacks++];
    *attack = (struct summary_attack){.injected = (uint64_t)cells[2].integer,
                                      .live = (uint64_t)cells[3].integer,
                                      .replayed = (uint64_t)cells[4].integer,
                                      .too_old = (uint64_t)cells[5].integer,
                                      .icv_mismatch = (uint64_t)cells[6].integer,
                                      .unknown_spi = (uint64_t)cells[7].integer,
                                      .other = (uint64_t)cells[8].integer,
                                      .answered = (uint64_t)cells[9].integer,
                                      .unfinished = (uint64_t)cells[10].integer,
                                      .accepted = (uint64_t)cells[11].integer,
                                      .came_first = (uint64_t)cells[12].integer,
                                      .arrived = (uint64_t)cells[13].integer};
    snprintf(attack->kind, sizeof attack->kind, "%s", cells[0].text);
    snprintf(attack->method, sizeof attack->method, "%s", cells[1].text);
    return 0;
}

static const char attacks_sql[] =
    "SELECT kind, method, sum(injected), sum(live), sum(replayed), sum(too_old), sum(icv_mismatch),"
    " sum(unknown_spi), sum(other), sum(answered), sum(unfinished), sum(accepted), sum(came_first),"
    " sum(arrived) FROM attacks WHERE case_name = ?1 GROUP BY kind, method ORDER BY min(id)";

static void add_reason(struct summary_attack *attack, const char *name, size_t len, uint64_t packets)
{
    size_t i = 0;
    while (i < attack->num_reasons &&
           (strncmp(attack->reasons[i].name, name, len) != 0 || attack->reasons[i].name[len] != '\0'))
        i++;
    if (i == P2_NUM_DROPS || len >= sizeof attack->reasons[i].name)
        return;
    if (i == attack->num_reasons)
        snprintf(attack->reasons[attack->num_reasons++].name, len + 1, "%s", name);
    attack->reasons[i].packets += packets;
}

/* "hash-mismatch 12, duplicate 3" of one attack: how often each is a matter of all that are alike. */
static int add_reasons(void *context, const struct store_cell *cells, size_t num_cells)
{
    struct summary_case *of_case = context;
    struct summary_attack *attack = of_case->attacks;
    (void)num_cells;
    while (strcmp(attack->kind, cells[0].text) != 0 || strcmp(attack->method, cells[1].text) != 0)
        attack++; /* the query above has found it */
    for (const char *at = cells[2].text; *at;) {
        size_t len = strcspn(at, " ");
        char *end;
        uint64_t packets = strtoull(at + len, &end, 10);
        add_reason(attack, at, len, packets);
        at = end + strspn(end, ", ");
    }
    return 0;
}

static const char reasons_sql[] = "SELECT kind, method, other_reasons FROM attacks"
                                  " WHERE case_name = ?1 AND other_reasons IS NOT NULL ORDER BY id";

static int add_compromise(void *context, const struct store_cell *cells, size_t num_cells)
{
    struct summary_case *of_case = context;
    struct summary_compromise *compromises =
        realloc(of_case->compromises, (of_case->num_compromises + 1) * sizeof *of_case->compromises);
    (void)num_cells;
    if (!compromises)
        return -2;
    of_case->compromises = compromises;
    struct summary_compromise *compromise = &compromises[of_case->num_compromises++];
    *compromise = (struct summary_compromise){.quick_modes = (uint64_t)cells[1].integer,
                                              .quick_modes_read = (uint64_t)cells[2].integer,
                                              .packets = (uint64_t)cells[3].integer,
                                              .packets_read = (uint64_t)cells[4].integer,
                                              .sas = (uint64_t)cells[5].integer,
                                              .sas_read = (uint64_t)cells[6].integer};
    snprintf(compromise->knows, sizeof compromise->knows, "%s", cells[0].text);
    return 0;
}

static const char compromises_sql[] =
    "SELECT c.knows, sum(quick_modes), sum(quick_modes_read), sum(packets), sum(packets_read),"
    " (SELECT count(*) FROM readings r WHERE r.case_name = ?1 AND r.knows = c.knows AND r.packets > 0),"
    " (SELECT count(*) FROM readings r WHERE r.case_name = ?1 AND r.knows = c.knows AND r.packets_read > 0)"
    " FROM compromises c WHERE case_name = ?1 GROUP BY c.knows ORDER BY min(c.id)";

int summary_read_attacks(struct summary_case *of_case, struct store *store, struct store_message *message)
{
    int status = store_query(store, attacks_sql, of_case->of->name, add_attack, of_case, message);
    if (status == 0)
        status = store_query(store, reasons_sql, of_case->of->name, add_reasons, of_case, message);
    if (status == 0)
        status = store_query(store, compromises_sql, of_case->of->name, add_compromise, of_case, message);
    return status;
}
