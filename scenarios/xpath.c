#include "xpath.h"

#include "load_xml.h"

#include <libxml/xpathInternals.h>
#include <stdlib.h>
#include <string.h>

/* More than any sensible path on a scenario of thousands of elements; it ends a senseless one. */
#define MAX_OPERATIONS 50000000ul

static void keep_message(void *context, xmlErrorPtr error)
{
    struct xpath_problem *problem = context;
    switch (error->code - XML_XPATH_EXPRESSION_OK) {
    case XPATH_OP_LIMIT_EXCEEDED:
        snprintf(problem->why, sizeof problem->why, "it takes too many steps");
        break;
    case XPATH_UNKNOWN_FUNC_ERROR:
        snprintf(problem->why, sizeof problem->why, "XPath 1.0 has no such function");
        break;
    case XPATH_UNDEF_VARIABLE_ERROR:
        snprintf(problem->why, sizeof problem->why, "there are no variables");
        break;
    case XPATH_UNDEF_PREFIX_ERROR:
        snprintf(problem->why, sizeof problem->why, "names have no prefix here");
        break;
    default:
        snprintf(problem->why, sizeof problem->why, "not XPath 1.0 from character %d on", error->int1 + 1);
    }
}

/* What libxml2 says in addition, past the handler of the context. */
__attribute__((format(printf, 2, 3))) static void say_nothing(void *context, const char *format, ...)
{
    (void)context, (void)format;
}

#define MAX_PATHS 512

struct paths {
    char text[MAX_PATHS][100];
    size_t num;
};

static void add_paths_of(struct paths *paths, const xmlNode *element)
{
    for (const xmlAttr *attribute = element->properties; attribute; attribute = attribute->next) {
        if (attribute->ns || paths->num == MAX_PATHS)
            continue;
        char *text = paths->text[paths->num];
        snprintf(text, sizeof paths->text[0], "//%.40s/@%.40s", (const char *)element->name,
                 (const char *)attribute->name);
        size_t i = 0;
        while (strcmp(paths->text[i], text) != 0)
            i++;
        paths->num += i == paths->num;
    }
    for (const xmlNode *child = load_child(element, NULL); child; child = load_next(child, NULL))
        add_paths_of(paths, child);
}

/* "//policy/@pfs" and so on: each kind of attribute that the scenario has. */
static void list_paths(const xmlDoc *doc, const char *path, char out[PROBLEMS_LIST])
{
    struct paths *paths = calloc(1, sizeof *paths);
    struct problems_names names = {0};
    snprintf(out, PROBLEMS_LIST, "the path of an attribute, such as //policy/@pfs");
    if (!paths)
        return;
    add_paths_of(paths, xmlDocGetRootElement(doc));
    for (size_t i = 0; i < paths->num; i++)
        problems_names_add(&names, paths->text[i]);
    problems_list(out, &names, path);
    problems_names_cleanup(&names);
    free(paths);
}

static bool settable(const xmlNode *node)
{
    return node->type == XML_ATTRIBUTE_NODE ||
           (node->type == XML_ELEMENT_NODE && !load_child(node, NULL) && node->children && !node->properties);
}

static bool all_settable(const xmlXPathObject *selected, struct xpath_problem *problem)
{
    const xmlNodeSet *set = selected->type == XPATH_NODESET ? selected->nodesetval : NULL;
    int num = set ? set->nodeNr : 0, i = 0;
    while (i < num && settable(set->nodeTab[i]))
        i++;
    if (selected->type != XPATH_NODESET)
        snprintf(problem->why, sizeof problem->why, "it computes a value and selects nothing");
    else if (num == 0)
        snprintf(problem->why, sizeof problem->why, "selects nothing here");
    else if (i < num)
        snprintf(problem->why, sizeof problem->why,
                 "selects <%.60s>, which is no attribute and holds no text",
                 set->nodeTab[i]->name ? (const char *)set->nodeTab[i]->name : "?");
    else
        return true;
    return false;
}

xmlXPathObject *xpath_select(xmlDoc *doc, const char *path, struct xpath_problem *problem)
{
    snprintf(problem->why, sizeof problem->why, "can not be evaluated");
    xmlXPathContext *context = xmlXPathNewContext(doc);
    xmlXPathObject *selected = NULL;
    if (context) {
        context->error = keep_message;
        context->userData = problem;
        context->opLimit = MAX_OPERATIONS;
        load_leave_namespace(doc);
        xmlSetGenericErrorFunc(NULL, say_nothing);
        selected = xmlXPathEvalExpression((const xmlChar *)path, context);
        xmlSetGenericErrorFunc(NULL, NULL);
        load_enter_namespace(doc);
        xmlXPathFreeContext(context);
    }
    if (selected && all_settable(selected, problem))
        return selected;
    xmlXPathFreeObject(selected);
    list_paths(doc, path, problem->allowed);
    return NULL;
}

bool xpath_set(const xmlXPathObject *selected, const char *value)
{
    const xmlChar *text = (const xmlChar *)value;
    for (int i = 0; i < selected->nodesetval->nodeNr; i++) {
        xmlNode *node = selected->nodesetval->nodeTab[i];
        if (node->type == XML_ATTRIBUTE_NODE) {
            if (!xmlSetNsProp(node->parent, node->ns, node->name, text))
                return false;
        } else {
            xmlNodeSetContent(node, NULL);
            xmlNodeAddContent(node, text);
        }
    }
    return true;
}
