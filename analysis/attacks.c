/* What attackers did, from the store. */
#include "summary.h"

#include <stdlib.h>

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
                                      .accepted = (uint64_t)cells[9].integer,
                                      .arrived = (uint64_t)cells[10].integer,
                                      .num = (uint64_t)cells[12].integer};
    snprintf(attack->kind, sizeof attack->kind, "%s", cells[0].text);
    snprintf(attack->method, sizeof attack->method, "%s", cells[1].text);
    snprintf(attack->other_reasons, sizeof attack->other_reasons, "%s", cells[11].text);
    return 0;
}

static const char attacks_sql[] =
    "SELECT kind, method, sum(injected), sum(live), sum(replayed), sum(too_old), sum(icv_mismatch),"
    " sum(unknown_spi), sum(other), sum(accepted), sum(arrived), min(other_reasons), count(*) FROM attacks"
    " WHERE case_name = ?1 GROUP BY kind, method ORDER BY min(id)";

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
        status = store_query(store, compromises_sql, of_case->of->name, add_compromise, of_case, message);
    return status;
}
