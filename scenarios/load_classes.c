/* <class> of a <link>. */
#include "load.h"

#include "units.h"

static bool parse_dscps(const char *text, void *out)
{
    return units_dscps(text, out);
}

static const struct field_kind field_dscps = {"DSCPs such as \"ef\" or \"af41 af42 34\"", parse_dscps};

static const struct field class_fields[] = {
    {"dscp", &field_dscps, offsetof(struct scenario_class, dscps)},
    {"priority", &field_count, offsetof(struct scenario_class, priority)},
    {"queue", &field_count, offsetof(struct scenario_class, queue)},
    {"delay", &field_time, offsetof(struct scenario_class, delay)},
};

bool load_classes(struct loader *l, const xmlNode *element, struct scenario_link *link)
{
    uint64_t taken = 0;
    bool ok = true;
    for (const xmlNode *node = load_child(element, "class"); node; node = load_next(node, "class")) {
        struct scenario_class one = {0};
        if (link->num_classes == SCENARIO_MAX_CLASSES) {
            problems_add(l->problems, load_line(node), "<class>: one too many; allowed: %d in a link",
                         SCENARIO_MAX_CLASSES);
            return false;
        }
        ok = load_fields(l->problems, node, class_fields, FIELDS(class_fields), &one) && ok;
        if (one.dscps & taken) {
            load_wrong(l->problems, node, "dscp", "another class of this link has it",
                       "DSCPs of one class each");
            ok = false;
        }
        taken |= one.dscps;
        link->classes[link->num_classes++] = one;
    }
    return ok;
}
