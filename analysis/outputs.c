#include "outputs.h"
#include "command.h"
#include "csv.h"
#include "result_dir.h"
#include "text_report.h"

#include <stdlib.h>
#include <string.h>

struct sources {
    struct store *store;
    const struct scenario_set *set;
    const struct summary *summary;
};

static int write_summary(void *context, FILE *out, char *message, size_t message_size)
{
    const struct sources *sources = context;
    (void)message;
    (void)message_size;
    return summary_write(sources->summary, out);
}

static int write_csv(void *context, FILE *out, char *message, size_t message_size)
{
    const struct sources *sources = context;
    struct store_message problem;
    if (csv_write(out, sources->store, &problem) == 0)
        return 0;
    snprintf(message, message_size, "%s", problem.text);
    return -1;
}

static int write_report(void *context, FILE *out, char *message, size_t message_size)
{
    const struct sources *sources = context;
    (void)message;
    (void)message_size;
    return text_report_write(out, sources->set, sources->summary, false);
}

int outputs_write(const char *directory, struct store *store, const struct scenario_set *set,
                  const struct summary *summary, struct store_message *message)
{
    static const struct {
        const char *name;
        result_dir_write *write;
    } files[] = {{"summary.json", write_summary}, {"rekeys.csv", write_csv}, {"report.txt", write_report}};
    struct sources sources = {store, set, summary};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (result_dir_write_file(directory, files[i].name, files[i].write, &sources, message->text,
                                  sizeof message->text))
            return -1;
    return 0;
}

int outputs_print(const struct scenario_set *set, const struct summary *summary)
{
    return text_report_write(stdout, set, summary, command_wants_colour());
}
