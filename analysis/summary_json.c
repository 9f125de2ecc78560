/* summary.json: the figures for other programs. */
#include "summary.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

/* Times are whole nanoseconds; a ratio keeps six decimals, so that equal runs give equal bytes. */
static json_t *figure(double value, const char *unit)
{
    if (strcmp(unit, "ns") == 0)
        return json_integer(llround(value));
    return json_real(round(value * 1e6) / 1e6);
}

static json_t *interval(const struct statistics_interval *of, const char *unit)
{
    return of->known ? json_pack("[o, o]", figure(of->low, unit), figure(of->high, unit)) : json_null();
}

static json_t *metric_json(const struct summary_metric *metric)
{
    const struct statistics_summary *figures = &metric->figures;
    const char *unit = metric->unit;
    if (metric->is_total)
        return json_pack("{s:s, s:I}", "unit", unit, "total", (json_int_t)metric->total);
    if (figures->n == 0)
        return json_pack("{s:s, s:i, s:n, s:n, s:n, s:n, s:n}", "unit", unit, "n", 0, "mean", "median", "p95",
                         "p99", "median_ci95");
    return json_pack("{s:s, s:I, s:o, s:o, s:o, s:o, s:o}", "unit", unit, "n", (json_int_t)figures->n, "mean",
                     figure(figures->mean, unit), "median", figure(figures->median, unit), "p95",
                     figure(figures->p95, unit), "p99", figure(figures->p99, unit), "median_ci95",
                     interval(&figures->median_ci95, unit));
}

static json_t *settings_json(const struct scenario_case *of)
{
    json_t *settings = json_object();
    for (size_t i = 0; i < of->num_settings; i++)
        json_object_set_new(settings, of->settings[i].axis, json_string(of->settings[i].value));
    return settings;
}

/* By name alone, whatever phase and field they are of. */
static json_t *failures_json(const struct summary_case *of_case)
{
    json_t *failures = json_object();
    for (size_t i = 0; i < of_case->failures.num; i++) {
        const struct summary_failure *failure = &of_case->failures.items[i];
        json_int_t before = json_integer_value(json_object_get(failures, failure->name));
        json_object_set_new(failures, failure->name, json_integer(before + (json_int_t)failure->count));
    }
    return failures;
}

/* {"chosen-proposal": {"g2-esp-aes128-sha": 12}} */
static json_t *texts_json(const struct summary_case *of_case)
{
    json_t *texts = json_object();
    for (size_t i = 0; i < of_case->num_texts; i++) {
        const struct summary_text *text = &of_case->texts[i];
        json_t *metric = json_object_get(texts, text->metric);
        if (!metric) {
            metric = json_object();
            json_object_set_new(texts, text->metric, metric);
        }
        json_object_set_new(metric, text->text, json_integer((json_int_t)text->count));
    }
    return texts;
}

static json_t *case_json(const struct summary_case *of_case)
{
    json_t *metrics = json_object();
    for (size_t i = 0; i < of_case->num_metrics; i++)
        json_object_set_new(metrics, of_case->metrics[i].name, metric_json(&of_case->metrics[i]));
    return json_pack("{s:s, s:o, s:I, s:{s:I, s:I, s:I}, s:o, s:o, s:o}", "name", of_case->of->name,
                     "settings", settings_json(of_case->of), "finished_runs",
                     (json_int_t)of_case->finished_runs, "negotiations", "established",
                     (json_int_t)of_case->established, "failed", (json_int_t)of_case->failed, "unfinished",
                     (json_int_t)of_case->unfinished, "metrics", metrics, "texts", texts_json(of_case),
                     "failures", failures_json(of_case));
}

static json_t *difference_json(const struct summary *summary, const struct summary_difference *difference)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:o, s:o}", "case",
                     summary->cases[difference->in_case].of->name, "against", summary->cases[0].of->name,
                     "metric", difference->metric, "figure",
                     difference->figure == STATISTICS_MEDIAN ? "median" : "mean", "unit", "ns",
                     "replications", (json_int_t)difference->by.replications, "mean",
                     figure(difference->by.mean, "ns"), "ci95", interval(&difference->by.ci95, "ns"));
}

static json_t *summary_json(const struct summary *summary)
{
    json_t *cases = json_array(), *differences = json_array(), *expectations = json_array(),
           *failed = json_array();
    for (size_t i = 0; i < summary->num_cases; i++)
        json_array_append_new(cases, case_json(&summary->cases[i]));
    for (size_t i = 0; i < summary->num_differences; i++)
        json_array_append_new(differences, difference_json(summary, &summary->differences[i]));
    for (size_t i = 0; i < summary->num_expectations; i++)
        json_array_append_new(
            expectations, json_pack("{s:s, s:b, s:s}", "text", summary->expectations[i].of->text, "holds",
                                    summary->expectations[i].holds, "seen", summary->expectations[i].seen));
    for (size_t i = 0; i < summary->num_failed_runs; i++)
        json_array_append_new(failed, json_pack("{s:s, s:I, s:s}", "case", summary->failed_runs[i].case_name,
                                                "run", (json_int_t)summary->failed_runs[i].run, "message",
                                                summary->failed_runs[i].message));
    return json_pack("{s:s, s:s, s:I, s:I, s:b, s:o, s:o, s:o, s:o}", "format", SUMMARY_FORMAT, "scenario",
                     summary->result.scenario, "seed", (json_int_t)summary->result.seed, "runs",
                     (json_int_t)summary->result.runs, "complete", summary->result.complete, "cases", cases,
                     "differences", differences, "expectations", expectations, "failed_runs", failed);
}

int summary_write(const struct summary *summary, FILE *out)
{
    json_t *root = summary_json(summary);
    if (!root) {
        /* Out of memory, or text that is not UTF-8; jansson does not tell. */
        errno = ENOMEM;
        return -1;
    }
    int failed = json_dumpf(root, out, JSON_INDENT(1) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(6)) ||
                 fputc('\n', out) == EOF;
    json_decref(root);
    return failed ? -1 : 0;
}
