#include "workers.h"
#include "interrupt.h"
#include "process.h"
#include "progress.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* How long a worker may take to end when it is told to. */
#define GRACE_MS 3000

enum slot_state { SLOT_WAITING, SLOT_RUNNING, SLOT_ENDED, SLOT_NOT_STARTED, SLOT_KEPT, SLOT_DELIVERED };

/* A job's process, kept until its turn to be delivered. */
struct slot {
    enum slot_state state;
    int start_errno; /* of SLOT_NOT_STARTED */
    bool hung;       /* it was ended since it showed no progress */
    struct process process;
};

struct workers {
    const struct workers_job *jobs;
    size_t num_jobs;
    const struct workers_options *options;
    workers_deliver *deliver;
    void *context;
    struct workers_tally *tally;
    struct slot *slots;
    struct pollfd *fds;
    size_t num_started, num_running, num_ended, num_delivered;
    struct progress progress;
};

static void start(struct workers *workers, size_t index)
{
    const struct workers_job *job = &workers->jobs[index];
    struct slot *slot = &workers->slots[index];
    char run[24], seed[24], alive[24];
    if (job->kept) {
        slot->state = SLOT_KEPT;
        workers->num_ended++;
        return;
    }
    snprintf(run, sizeof run, "%llu", (unsigned long long)job->run);
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)workers->options->seed);
    /* execv takes char *const for historical reasons and changes nothing. */
    snprintf(alive, sizeof alive, "%d", PROCESS_ALIVE);
    const char *argv[14] = {
        workers->options->program, "--case", job->case_name, "--run", run, "--seed", seed, "--alive", alive};
    size_t argc = 9;
    if (job->captures) {
        argv[argc++] = "--captures";
        argv[argc++] = job->captures;
    }
    if (job->debug) {
        argv[argc++] = "--debug";
        argv[argc] = job->debug;
    }
    if (process_start(&slot->process, (char *const *)argv, job->xml, job->xml_len) == 0) {
        slot->state = SLOT_RUNNING;
        workers->num_running++;
        return;
    }
    slot->start_errno = errno;
    slot->state = SLOT_NOT_STARTED;
    workers->num_ended++;
}

/* Judged after reading: what came while nobody looked counts. */
static void end_if_hung(const struct workers *workers, struct slot *slot)
{
    uint64_t patience = workers->options->patience_ms;
    if (patience == 0 || slot->hung || process_now() - slot->process.heard_ms < (int64_t)patience)
        return;
    slot->hung = true;
    process_signal(&slot->process, SIGKILL);
}

static void advance(struct workers *workers)
{
    for (size_t i = workers->num_delivered; i < workers->num_started; i++) {
        struct slot *slot = &workers->slots[i];
        if (slot->state != SLOT_RUNNING)
            continue;
        process_advance(&slot->process);
        if (slot->process.ended) {
            slot->state = SLOT_ENDED;
            workers->num_running--;
            workers->num_ended++;
        } else {
            end_if_hung(workers, slot);
        }
    }
}

static void wait_for_news(struct workers *workers, int timeout_ms)
{
    size_t num = 1;
    workers->fds[0] = (struct pollfd){.fd = interrupt_fd(), .events = POLLIN};
    for (size_t i = workers->num_delivered; i < workers->num_started; i++)
        if (workers->slots[i].state == SLOT_RUNNING)
            num += process_poll(&workers->slots[i].process, &workers->fds[num]);
    poll(workers->fds, (nfds_t)num, timeout_ms);
    interrupt_drain();
}

/* How a job failed, or "" and its records in stream. */
static void judge(const struct workers *workers, size_t index, struct stream *stream, char *how,
                  size_t how_size)
{
    const struct workers_job *job = &workers->jobs[index];
    const struct slot *slot = &workers->slots[index];
    const struct process *process = &slot->process;
    const struct stream_expected expected = {job->case_name, job->run, workers->options->seed};
    how[0] = '\0';
    if (slot->state == SLOT_KEPT)
        return;
    if (slot->hung)
        snprintf(how, how_size, "showed no progress for %.0f s and was ended",
                 (double)workers->options->patience_ms / 1000);
    else if (slot->state == SLOT_NOT_STARTED)
        snprintf(how, how_size, "cannot start %.200s: %s", workers->options->program,
                 strerror(slot->start_errno));
    else if (process_how_ended(process, how, how_size))
        return;
    else if (process->out_of_memory)
        snprintf(how, how_size, "its records take more memory than there is");
    else if (stream_parse(stream, process->output, process->output_len, &expected, how, how_size) == 0)
        how[0] = '\0';
}

static int deliver(struct workers *workers, size_t index)
{
    struct slot *slot = &workers->slots[index];
    struct stream stream = {0};
    char how[512];
    judge(workers, index, &stream, how, sizeof how);
    struct workers_outcome outcome = {&workers->jobs[index], stream.records ? &stream : NULL, how,
                                      slot->process.last_words};
    if (stream.records || slot->state == SLOT_KEPT)
        workers->tally->finished++;
    else
        workers->tally->failed++;
    progress_clear(&workers->progress);
    int status = workers->deliver(workers->context, &outcome);
    stream_cleanup(&stream);
    process_cleanup(&slot->process);
    slot->state = SLOT_DELIVERED;
    return status;
}

static int deliver_in_turn(struct workers *workers)
{
    int status = 0;
    while (status == 0 && workers->num_delivered < workers->num_started) {
        enum slot_state state = workers->slots[workers->num_delivered].state;
        if (state == SLOT_RUNNING)
            break;
        status = deliver(workers, workers->num_delivered);
        workers->num_delivered++;
    }
    return status;
}

/* Ends what still runs: asked first, then, or when the user insists, killed. */
static void stop_workers(struct workers *workers)
{
    int asked = interrupt_count();
    for (size_t i = workers->num_delivered; i < workers->num_started; i++)
        if (workers->slots[i].state == SLOT_RUNNING)
            process_signal(&workers->slots[i].process, SIGTERM);
    for (int waited = 0; waited < GRACE_MS && interrupt_count() == asked;) {
        bool running = false;
        for (size_t i = workers->num_delivered; i < workers->num_started; i++) {
            struct slot *slot = &workers->slots[i];
            if (slot->state == SLOT_RUNNING && !slot->process.ended)
                process_advance(&slot->process);
            running = running || (slot->state == SLOT_RUNNING && !slot->process.ended);
        }
        if (!running)
            break;
        /* Cut short by each end of a child. */
        if (poll(NULL, 0, 100) == 0)
            waited += 100;
    }
    for (size_t i = workers->num_delivered; i < workers->num_started; i++)
        if (workers->slots[i].state == SLOT_RUNNING)
            process_cleanup(&workers->slots[i].process);
}

/* What ended well before the signal, even behind jobs that did not; who sent the signal may have sent it to
 * the workers too. */
static int deliver_rest(struct workers *workers)
{
    int status = 0;
    for (size_t i = workers->num_delivered; i < workers->num_jobs && status == 0; i++) {
        struct slot *slot = &workers->slots[i];
        if (slot->state == SLOT_WAITING && workers->jobs[i].kept)
            slot->state = SLOT_KEPT;
        if (slot->state == SLOT_KEPT || (slot->state == SLOT_ENDED && slot->process.status == 0))
            status = deliver(workers, i);
    }
    return status;
}

static int run_all(struct workers *workers)
{
    int status = 0;
    while (status == 0 && workers->num_delivered < workers->num_jobs) {
        while (workers->num_running < workers->options->parallel && workers->num_started < workers->num_jobs)
            start(workers, workers->num_started++);
        progress_show(&workers->progress, workers->num_ended);
        if (workers->num_running > 0)
            wait_for_news(workers, workers->options->progress || workers->options->patience_ms ? 1000 : -1);
        advance(workers);
        if (interrupt_count() > 0) {
            workers->tally->interrupted = true;
            stop_workers(workers);
            return deliver_rest(workers);
        }
        status = deliver_in_turn(workers);
    }
    if (status)
        stop_workers(workers);
    return status;
}

int workers_run(const struct workers_job *jobs, size_t num_jobs, const struct workers_options *options,
                workers_deliver *deliver_one, void *context, struct workers_tally *tally)
{
    struct workers workers = {jobs, num_jobs, options, deliver_one, context, tally, NULL,
                              NULL, 0,        0,       0,           0,       {0}};
    *tally = (struct workers_tally){0};
    workers.slots = calloc(num_jobs + 1, sizeof *workers.slots);
    workers.fds = calloc(1 + PROCESS_STREAMS * options->parallel, sizeof *workers.fds);
    int status = -1;
    if (workers.slots && workers.fds) {
        progress_start(&workers.progress, options->progress, num_jobs);
        status = run_all(&workers);
        progress_clear(&workers.progress);
    }
    for (size_t i = 0; workers.slots && i < num_jobs; i++)
        if (workers.slots[i].state != SLOT_DELIVERED && workers.slots[i].state != SLOT_WAITING)
            process_cleanup(&workers.slots[i].process);
    free(workers.slots);
    free(workers.fds);
    return status;
}
