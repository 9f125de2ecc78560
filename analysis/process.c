#include "process.h"
#include "interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

/* A run of sensible size writes some megabytes; a worker gone mad must not take the machine's memory. */
#define MAX_OUTPUT ((size_t)1 << 30)

/* pipes[i][0] is read, pipes[i][1] written; the child's end of stdin is the reading one. */
static int childs_end(int pipes[PROCESS_STREAMS][2], int stream)
{
    return pipes[stream][stream == 0 ? 0 : 1];
}

static int ours_end(int pipes[PROCESS_STREAMS][2], int stream)
{
    return pipes[stream][stream == 0 ? 1 : 0];
}

static void close_pipes(int pipes[PROCESS_STREAMS][2])
{
    for (int i = 0; i < 2 * PROCESS_STREAMS; i++)
        if (pipes[i / 2][i % 2] >= 0)
            close(pipes[i / 2][i % 2]);
}

/* Closed on exec, all of them: a worker that held another one's pipe would hide the other's end. */
static int open_pipes(int pipes[PROCESS_STREAMS][2])
{
    for (int i = 0; i < PROCESS_STREAMS; i++)
        if (pipe(pipes[i]))
            return -1;
    for (int i = 0; i < 2 * PROCESS_STREAMS; i++)
        if (fcntl(pipes[i / 2][i % 2], F_SETFD, FD_CLOEXEC) == -1)
            return -1;
    for (int i = 0; i < PROCESS_STREAMS; i++)
        if (fcntl(ours_end(pipes, i), F_SETFL, O_NONBLOCK) == -1)
            return -1;
    return 0;
}

static void run_child(int pipes[PROCESS_STREAMS][2], char *const argv[])
{
    setpgid(0, 0);
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGTERM);
#endif
    interrupt_reset_child();
    for (int i = 0; i < PROCESS_STREAMS; i++)
        if (dup2(childs_end(pipes, i), i) == -1 || fcntl(i, F_SETFD, 0) == -1)
            _exit(127);
    execv(argv[0], argv);
    dprintf(STDERR_FILENO, "cannot start %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

int64_t process_now(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int process_start(struct process *process, char *const argv[], const char *input, size_t input_len)
{
    int pipes[PROCESS_STREAMS][2] = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
    *process = (struct process){
        .fds = {-1, -1, -1, -1}, .input = input, .input_len = input_len, .heard_ms = process_now()};
    pid_t pid = open_pipes(pipes) ? -1 : fork();
    if (pid == -1) {
        int saved = errno;
        close_pipes(pipes);
        errno = saved;
        return -1;
    }
    if (pid == 0)
        run_child(pipes, argv);
    /* Here too: whoever is first. */
    setpgid(pid, pid);
    process->pid = pid;
    for (int i = 0; i < PROCESS_STREAMS; i++) {
        close(childs_end(pipes, i));
        process->fds[i] = ours_end(pipes, i);
    }
    return 0;
}

size_t process_poll(const struct process *process, struct pollfd fds[PROCESS_STREAMS])
{
    size_t num = 0;
    for (int i = 0; i < PROCESS_STREAMS; i++)
        if (process->fds[i] >= 0)
            fds[num++] = (struct pollfd){.fd = process->fds[i], .events = i == 0 ? POLLOUT : POLLIN};
    return num;
}

static void close_stream(struct process *process, int stream)
{
    if (process->fds[stream] >= 0)
        close(process->fds[stream]);
    process->fds[stream] = -1;
}

static void feed(struct process *process)
{
    while (process->fds[0] >= 0 && process->input_sent < process->input_len) {
        ssize_t sent = write(process->fds[0], process->input + process->input_sent,
                             process->input_len - process->input_sent);
        if (sent == -1 && (errno == EAGAIN || errno == EINTR))
            return;
        if (sent == -1)
            break; /* EPIPE: it does not want to know; its end will tell why */
        process->input_sent += (size_t)sent;
    }
    close_stream(process, 0);
}

static void keep_output(struct process *process, const char *bytes, size_t len)
{
    if (process->output_len + len > process->output_capacity && !process->out_of_memory) {
        size_t capacity = 2 * process->output_capacity + len;
        char *output = capacity > MAX_OUTPUT ? NULL : realloc(process->output, capacity);
        process->out_of_memory = !output;
        if (output) {
            process->output = output;
            process->output_capacity = capacity;
        }
    }
    if (process->out_of_memory)
        return;
    memcpy(process->output + process->output_len, bytes, len);
    process->output_len += len;
}

static void keep_last_words(struct process *process, const char *bytes, size_t len)
{
    size_t max = sizeof process->last_words - 1;
    if (len > max) {
        bytes += len - max;
        len = max;
    }
    if (process->last_words_len + len > max) {
        size_t gone = process->last_words_len + len - max;
        memmove(process->last_words, process->last_words + gone, process->last_words_len - gone);
        process->last_words_len -= gone;
    }
    memcpy(process->last_words + process->last_words_len, bytes, len);
    process->last_words_len += len;
    process->last_words[process->last_words_len] = '\0';
}

static void read_stream(struct process *process, int stream)
{
    char bytes[65536];
    while (process->fds[stream] >= 0) {
        ssize_t len = read(process->fds[stream], bytes, sizeof bytes);
        if (len == -1 && errno == EINTR)
            continue;
        if (len == -1 && errno == EAGAIN)
            return;
        if (len <= 0) {
            close_stream(process, stream);
            continue;
        }
        process->heard_ms = process_now();
        if (stream == 1)
            keep_output(process, bytes, (size_t)len);
        else if (stream == 2)
            keep_last_words(process, bytes, (size_t)len);
    }
}

void process_advance(struct process *process)
{
    feed(process);
    /* Asked before reading: what an ended process wrote is then in the pipes already. */
    if (!process->ended && waitpid(process->pid, &process->status, WNOHANG) == process->pid)
        process->ended = true;
    read_stream(process, 1);
    read_stream(process, 2);
    read_stream(process, PROCESS_ALIVE);
    /* Its own children may still hold the pipes; nothing of theirs is wanted. */
    for (int i = 0; process->ended && i < PROCESS_STREAMS; i++)
        close_stream(process, i);
}

void process_signal(const struct process *process, int signal_number)
{
    if (process->pid > 0 && !process->ended)
        kill(-process->pid, signal_number);
}

const char *process_how_ended(const struct process *process, char *text, size_t text_size)
{
    if (WIFSIGNALED(process->status))
        snprintf(text, text_size, "was killed by signal %d (%s)", WTERMSIG(process->status),
                 strsignal(WTERMSIG(process->status)));
    else if (WEXITSTATUS(process->status) != 0)
        snprintf(text, text_size, "ended with exit code %d", WEXITSTATUS(process->status));
    else
        return NULL;
    return text;
}

void process_cleanup(struct process *process)
{
    process_signal(process, SIGKILL);
    if (process->pid > 0 && !process->ended)
        waitpid(process->pid, &process->status, 0);
    for (int i = 0; i < PROCESS_STREAMS && process->pid > 0; i++)
        close_stream(process, i);
    free(process->output);
    *process = (struct process){.fds = {-1, -1, -1, -1}};
}
