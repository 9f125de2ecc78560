/* What the report says of the CPUs: never a model's figures as if they had been measured. */
#include "text_layout.h"
#include "text_report.h"

#include <stdlib.h>
#include <string.h>

#define MAX_PROFILES 16

/* The profiles that gateways use, over all cases; a case may scale one. */
struct cpus {
    struct {
        char name[64];
        char source[256];
        uint32_t least_scale, largest_scale;
    } profiles[MAX_PROFILES];
    size_t num_profiles;
    bool some_free; /* a gateway computes in no time */
};

static void add_profile(struct cpus *cpus, const struct profile *profile)
{
    for (size_t i = 0; i < cpus->num_profiles; i++) {
        if (strcmp(cpus->profiles[i].name, profile->name) != 0 ||
            strcmp(cpus->profiles[i].source, profile->source) != 0)
            continue;
        if (profile->scale < cpus->profiles[i].least_scale)
            cpus->profiles[i].least_scale = profile->scale;
        if (profile->scale > cpus->profiles[i].largest_scale)
            cpus->profiles[i].largest_scale = profile->scale;
        return;
    }
    if (cpus->num_profiles == MAX_PROFILES)
        return;
    size_t i = cpus->num_profiles++;
    snprintf(cpus->profiles[i].name, sizeof cpus->profiles[i].name, "%s", profile->name);
    snprintf(cpus->profiles[i].source, sizeof cpus->profiles[i].source, "%s", profile->source);
    cpus->profiles[i].least_scale = cpus->profiles[i].largest_scale = profile->scale;
}

static void add_scenario(struct cpus *cpus, const struct scenario *scenario)
{
    for (size_t i = 0; i < scenario->num_gateways; i++) {
        int profile = scenario->gateways[i].cpu.profile;
        if (profile < 0)
            cpus->some_free = true;
        else
            add_profile(cpus, &scenario->profiles[profile]);
    }
}

static int add_case(struct cpus *cpus, const struct scenario_case *of)
{
    struct scenario *scenario = calloc(1, sizeof *scenario);
    struct scenario_message message;
    int failed = scenario ? scenario_load_memory(scenario, of->xml, of->xml_len, of->name, &message) : -1;
    if (!failed) {
        add_scenario(cpus, scenario);
        scenario_cleanup(scenario);
    }
    free(scenario);
    return failed ? -1 : 0;
}

static void write_profile(FILE *out, const struct cpus *cpus, size_t i)
{
    char text[768];
    unsigned least = cpus->profiles[i].least_scale, largest = cpus->profiles[i].largest_scale;
    int len = snprintf(text, sizeof text, "CPU \"%s\": the figures of %s", cpus->profiles[i].name,
                       cpus->profiles[i].source);
    size_t rest = sizeof text - (size_t)len;
    if (largest == 1)
        snprintf(text + len, rest, ", as they are.");
    else if (least == largest)
        snprintf(text + len, rest,
                 ", multiplied by %u: a model of a slower device, not a measurement of one.", largest);
    else
        snprintf(text + len, rest,
                 ", multiplied by %u to %u, depending on the case: models of slower devices, not "
                 "measurements of any.",
                 least, largest);
    text_wrap(out, text, TEXT_REPORT_WIDTH, 0, 2);
}

int text_report_cpus(FILE *out, const struct scenario_set *set)
{
    struct cpus cpus = {.num_profiles = 0};
    add_scenario(&cpus, &set->base);
    for (size_t i = 1; i < set->num_cases; i++)
        if (set->cases[i].xml)
            if (add_case(&cpus, &set->cases[i]))
                return -1;
    for (size_t i = 0; i < cpus.num_profiles; i++)
        write_profile(out, &cpus, i);
    if (cpus.some_free)
        text_wrap(out,
                  cpus.num_profiles
                      ? "Gateways without a CPU profile compute in no time at all."
                      : "No CPU profile: computations take no time at all, so only the network counts.",
                  TEXT_REPORT_WIDTH, 0, 2);
    return 0;
}
