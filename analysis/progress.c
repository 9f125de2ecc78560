#include "progress.h"

#include <string.h>

void progress_format(char *text, size_t text_size, size_t done, size_t total, double elapsed_s)
{
    int len = snprintf(text, text_size, "%zu of %zu runs", done, total);
    if (len < 0 || (size_t)len >= text_size || done == 0 || done >= total)
        return;
    double left_s = elapsed_s / (double)done * (double)(total - done);
    text += len;
    text_size -= (size_t)len;
    if (left_s < 1)
        snprintf(text, text_size, ", less than a second left");
    else if (left_s < 99.5)
        snprintf(text, text_size, ", about %.0f s left", left_s);
    else if (left_s < 99.5 * 60)
        snprintf(text, text_size, ", about %.0f min left", left_s / 60);
    else
        snprintf(text, text_size, ", about %.1f h left", left_s / 3600);
}

void progress_start(struct progress *progress, FILE *terminal, size_t total)
{
    *progress = (struct progress){.terminal = terminal, .total = total};
    clock_gettime(CLOCK_MONOTONIC, &progress->started);
}

void progress_show(struct progress *progress, size_t done)
{
    struct timespec now;
    char text[80];
    if (!progress->terminal)
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double elapsed_s = (double)(now.tv_sec - progress->started.tv_sec) +
                       (double)(now.tv_nsec - progress->started.tv_nsec) / 1e9;
    progress_format(text, sizeof text, done, progress->total, elapsed_s);
    if (strcmp(text, progress->shown) == 0)
        return;
    fprintf(progress->terminal, "\r%-60s", text);
    (void)fflush(progress->terminal);
    memcpy(progress->shown, text, sizeof text);
}

void progress_clear(struct progress *progress)
{
    if (!progress->terminal || !*progress->shown)
        return;
    fprintf(progress->terminal, "\r%60s\r", "");
    (void)fflush(progress->terminal);
    progress->shown[0] = '\0';
}
