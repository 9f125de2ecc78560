/* A validated document into struct scenario. */
#include "load.h"

#include "load_usage.h"

#include <stdlib.h>
#include <string.h>

static const struct field scenario_fields[] = {
    {"name", &field_name, offsetof(struct scenario, name)},
    {"duration", &field_time, offsetof(struct scenario, duration)},
    {"seed", &field_number, offsetof(struct scenario, seed)},
    {"runs", &field_number, offsetof(struct scenario, runs)},
};

/* A copy of an element's text with white space collapsed, since XML is indented. NULL, reported: out of
 * memory. */
static char *copy_text(struct problems *problems, const xmlNode *element)
{
    xmlChar *content = xmlNodeGetContent(element);
    char *copy = content ? malloc(strlen((char *)content) + 1) : NULL;
    if (copy) {
        static const char white[] = " \t\r\n";
        char *out = copy;
        const char *p = (char *)content + strspn((char *)content, white);
        while (*p) {
            size_t len = strcspn(p, white);
            memcpy(out, p, len);
            out += len;
            p += len + strspn(p + len, white);
            if (*p)
                *out++ = ' ';
        }
        *out = '\0';
    } else {
        problems_no_memory(problems);
    }
    xmlFree(content);
    return copy;
}

static bool load_lesson(struct loader *l, const xmlNode *lesson)
{
    if (!lesson)
        return true;
    struct scenario *s = l->scenario;
    s->question = copy_text(l->problems, load_child(lesson, "question"));
    bool ok = s->question != NULL;
    for (const xmlNode *p = load_child(lesson, "p"); p && ok; p = load_next(p, "p")) {
        char **paragraph = LOAD_APPEND(l->problems, s->paragraphs, s->num_paragraphs);
        ok = paragraph && (*paragraph = copy_text(l->problems, p));
    }
    return ok;
}

/* A name that a scenario refers to is there even if what it names is wrong, so that all that is wrong can be
 * told at once. */
static bool load_topology(struct loader *l, const xmlNode *topology)
{
    l->gateways_sound = load_gateways(l, topology);
    l->gateways_sound = !load_is_cut_off(l) && load_nats(l, topology) && l->gateways_sound;
    if (load_is_cut_off(l))
        return false;
    l->gateways_sound = l->gateways_sound && load_address_plan(l);
    l->links_sound = load_links(l, topology) && l->gateways_sound && load_behind_nats(l);
    return l->gateways_sound && l->links_sound;
}

static bool load_parts(struct loader *l, const xmlNode *root)
{
    struct problems *problems = l->problems;
    bool ok = load_fields(problems, root, scenario_fields, FIELDS(scenario_fields), l->scenario);
    if (ok && l->scenario->duration <= 0) {
        load_wrong(problems, root, "duration", "no time at all", "more than 0s");
        ok = false;
    }
    if (!ok)
        l->scenario->duration = INT64_MAX; /* no instant is beyond a duration that nobody knows */
    ok = load_lesson(l, load_child(root, "lesson")) && ok;
    bool profiles_sound = load_profiles(l, root);
    ok = load_topology(l, load_child(root, "topology")) && profiles_sound && ok;
    if (load_is_cut_off(l))
        return false;
    l->tunnels_sound = load_tunnels(l, load_child(root, "tunnels"));
    l->tunnels_sound = l->tunnels_sound && l->links_sound && load_shared_peers(l);
    ok = l->tunnels_sound && ok;
    ok = ok && load_check_prices(l, root);
    if (load_is_cut_off(l))
        return false;
    ok = load_flows(l, load_child(root, "traffic")) && ok;
    ok = load_timeline(l, load_child(root, "timeline")) && ok;
    ok = load_expectations(l, load_child(root, "expect")) && ok;
    return ok && (!problems->usage || load_note_usage(problems->usage, l));
}

bool load_scenario(struct scenario *scenario, struct problems *problems, const xmlDoc *doc)
{
    *scenario = (struct scenario){0};
    struct loader l = {.problems = problems, .scenario = scenario};
    bool ok = !problems->is_misleading && load_parts(&l, xmlDocGetRootElement(doc));
    free(l.gateways.items);
    free(l.tunnels.items);
    free(l.nodes.items);
    free(l.links.items);
    free(l.component);
    return ok;
}

void scenario_cleanup(struct scenario *scenario)
{
    free(scenario->question);
    for (size_t i = 0; i < scenario->num_paragraphs; i++)
        free(scenario->paragraphs[i]);
    free(scenario->paragraphs);
    free(scenario->profiles);
    free(scenario->gateways);
    free(scenario->nats);
    free(scenario->links);
    free(scenario->tunnels);
    free(scenario->flows);
    free(scenario->events);
    free(scenario->expectations);
    *scenario = (struct scenario){0};
}

int scenario_load_memory(struct scenario *scenario, const char *xml, size_t len, const char *name,
                         struct scenario_message *message)
{
    struct problems problems;
    struct load_schema schema;
    problems_init(&problems, message, name);
    *scenario = (struct scenario){0};
    bool known = load_schema_init(&schema, &problems);
    xmlDoc *doc = known ? load_xml_memory(&problems, xml, len) : NULL;
    bool ok = doc && load_validate(&schema, &problems, doc, "scenario") &&
              load_inline_profiles(&schema, &problems, doc, name) && load_scenario(scenario, &problems, doc);
    xmlFreeDoc(doc);
    load_schema_cleanup(&schema);
    problems_finish(&problems);
    if (!ok)
        scenario_cleanup(scenario);
    return ok ? 0 : -1;
}
