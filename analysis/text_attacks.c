/* The report's part on attackers: a small table of what became of what they injected, and a sentence each. */
#include "text_layout.h"
#include "text_report.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    COLUMN_CASE,
    COLUMN_ATTACK,
    COLUMN_INJECTED,
    COLUMN_LIVE,
    COLUMN_REPLAYED,
    COLUMN_TOO_OLD,
    COLUMN_ICV,
    COLUMN_SPI,
    COLUMN_OTHER,
    COLUMN_ACCEPTED,
    COLUMN_LOST,
    NUM_COLUMNS
};

static const struct text_column columns[NUM_COLUMNS] = {
    [COLUMN_CASE] = {"case", "", true},
    [COLUMN_ATTACK] = {"attack", "  ", true},
    [COLUMN_INJECTED] = {"injected", "  ", false},
    [COLUMN_LIVE] = {"live", "  ", false},
    [COLUMN_REPLAYED] = {"replayed", "  ", false},
    [COLUMN_TOO_OLD] = {"too old", "  ", false},
    [COLUMN_ICV] = {"bad ICV", "  ", false},
    [COLUMN_SPI] = {"no SA", "  ", false},
    [COLUMN_OTHER] = {"other", "  ", false},
    [COLUMN_ACCEPTED] = {"accepted", "  ", false},
    [COLUMN_LOST] = {"lost", "  ", false},
};

static void fill_row(char (*cells)[TEXT_CELL], const struct summary_case *of_case,
                     const struct summary_attack *attack)
{
    const uint64_t numbers[NUM_COLUMNS] = {[COLUMN_INJECTED] = attack->injected,
                                           [COLUMN_LIVE] = attack->live,
                                           [COLUMN_REPLAYED] = attack->replayed,
                                           [COLUMN_TOO_OLD] = attack->too_old,
                                           [COLUMN_ICV] = attack->icv_mismatch,
                                           [COLUMN_SPI] = attack->unknown_spi,
                                           [COLUMN_OTHER] =
                                               attack->other + attack->answered + attack->unfinished,
                                           [COLUMN_ACCEPTED] = attack->accepted,
                                           [COLUMN_LOST] = attack->injected - attack->arrived};
    text_report_case_label(cells[COLUMN_CASE], TEXT_CELL, of_case->of);
    cells[COLUMN_CASE][TEXT_REPORT_LABEL] = '\0'; /* the main table says it in full */
    snprintf(cells[COLUMN_ATTACK], TEXT_CELL, "%s %s", attack->kind, attack->method);
    for (size_t i = COLUMN_INJECTED; i < NUM_COLUMNS; i++)
        snprintf(cells[i], TEXT_CELL, "%" PRIu64, numbers[i]);
}

static size_t count_attacks(const struct summary *summary)
{
    size_t num = 0;
    for (size_t i = 0; i < summary->num_cases; i++)
        num += summary->cases[i].num_attacks;
    return num;
}

static int write_table(FILE *out, const struct summary *summary, bool colour)
{
    size_t num_rows = count_attacks(summary), row = 0;
    char(*cells)[TEXT_CELL] = calloc(num_rows * NUM_COLUMNS, sizeof *cells);
    if (!cells)
        return -1;
    for (size_t i = 0; i < summary->num_cases; i++) {
        for (size_t j = 0; j < summary->cases[i].num_attacks; j++)
            fill_row(cells + row++ * NUM_COLUMNS, &summary->cases[i], &summary->cases[i].attacks[j]);
    }
    struct text_table table = {columns, NUM_COLUMNS, cells, num_rows};
    unsigned shown = (1U << NUM_COLUMNS) - 1;
    text_table_write(out, &table, summary->num_cases > 1 ? shown : shown & ~(1U << COLUMN_CASE), colour);
    free(cells);
    return 0;
}

/* "group14: ", or nothing if there is only one case. */
static void name_case(char *text, size_t size, const struct summary *summary,
                      const struct summary_case *of_case)
{
    char label[200];
    text[0] = '\0';
    if (summary->num_cases == 1)
        return;
    text_report_case_label(label, sizeof label, of_case->of);
    snprintf(text, size, "%s: ", label);
}

static void put_fates(FILE *to, const struct summary_attack *a)
{
    uint64_t rejected = a->replayed + a->too_old + a->icv_mismatch + a->unknown_spi + a->other;
    fprintf(to,
            "of %" PRIu64 " packets injected, %" PRIu64 " reached an SA that was there; %" PRIu64
            " were rejected",
            a->injected, a->live, rejected);
    if (a->answered > 0)
        fprintf(to, ", %" PRIu64 " answered from store", a->answered);
    if (a->unfinished > 0)
        fprintf(to, ", %" PRIu64 " still waiting for the CPU at the end", a->unfinished);
    fprintf(to, " and %" PRIu64 " accepted", a->accepted);
    if (a->came_first > 0)
        fprintf(to, ", %" PRIu64 " of them before their originals came, or in place of lost ones",
                a->came_first);
    for (size_t i = 0; i < a->num_reasons; i++)
        fprintf(to, "%s %s %" PRIu64, i == 0 ? ". Rejected for other reasons:" : ",", a->reasons[i].name,
                a->reasons[i].packets);
    fputc('.', to);
}

static int write_sentence(FILE *out, const char *where, const struct summary_attack *a)
{
    struct text_piece sentence;
    if (text_piece_open(&sentence))
        return -1;
    fprintf(sentence.to, "%s%s %s: ", where, a->kind, a->method);
    if (a->injected == 0)
        fputs("nothing was injected, for there was nothing to go by.", sentence.to);
    else
        put_fates(sentence.to, a);
    return text_piece_wrap(&sentence, out, TEXT_REPORT_WIDTH, 2, 4);
}

static void write_reading(FILE *out, const char *where, const struct summary_compromise *c)
{
    char text[800];
    snprintf(text, sizeof text,
             "%sknowing %s, the attacker read %" PRIu64 " of %" PRIu64 " recorded Quick Modes, and %" PRIu64
             " of %" PRIu64 " recorded ESP packets (%" PRIu64 " of %" PRIu64 " SAs).",
             where, c->knows, c->quick_modes_read, c->quick_modes, c->packets_read, c->packets, c->sas_read,
             c->sas);
    text_wrap(out, text, TEXT_REPORT_WIDTH, 2, 4);
}

static void write_false_positives(FILE *out, const struct summary *summary)
{
    char text[400], where[256];
    for (size_t i = 0; i < summary->num_cases; i++) {
        uint64_t total = summary_find(&summary->cases[i], "false-positives")->total;
        if (total == 0)
            continue;
        name_case(where, sizeof where, summary, &summary->cases[i]);
        snprintf(text, sizeof text,
                 "%s%" PRIu64 " packets of flows never came, for they were taken for replayed or too old.",
                 where, total);
        text_wrap(out, text, TEXT_REPORT_WIDTH, 2, 4);
    }
}

static void write_legend(FILE *out)
{
    fputc('\n', out);
    text_wrap(
        out,
        "Each injected packet has one end. live: reached an SA that was there, however it ended. "
        "replayed, too old: rejected by the replay window. bad ICV: by the integrity check. no SA: its SPI "
        "was nobody's. other: what the sentences name. accepted: delivered, or for IKE, it moved a "
        "negotiation or an SA. lost: it reached no gateway, or was a fragment of one that did.",
        TEXT_REPORT_WIDTH, 0, 0);
    fputc('\n', out);
}

int text_report_attacks(FILE *out, const struct summary *summary, bool colour)
{
    char where[256];
    size_t num_attacks = count_attacks(summary), num_compromises = 0;
    for (size_t i = 0; i < summary->num_cases; i++)
        num_compromises += summary->cases[i].num_compromises;
    if (num_attacks + num_compromises == 0)
        return 0;
    fputc('\n', out);
    text_styled(out, colour, TEXT_BOLD, "Attacks");
    fputc('\n', out);
    if (num_attacks > 0) {
        if (write_table(out, summary, colour))
            return -1;
        write_legend(out);
    }
    for (size_t i = 0; i < summary->num_cases; i++) {
        const struct summary_case *of_case = &summary->cases[i];
        name_case(where, sizeof where, summary, of_case);
        for (size_t j = 0; j < of_case->num_attacks; j++)
            if (write_sentence(out, where, &of_case->attacks[j]))
                return -1;
        for (size_t j = 0; j < of_case->num_compromises; j++)
            write_reading(out, where, &of_case->compromises[j]);
    }
    write_false_positives(out, summary);
    return 0;
}
