#include "interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGPIPE};

enum { NUM_SIGNALS = sizeof signals / sizeof signals[0] };

static volatile sig_atomic_t num_interrupts;
static int signal_pipe[2] = {-1, -1};
static struct sigaction before[NUM_SIGNALS];

static void note(int signal_number)
{
    int saved = errno;
    if (signal_number != SIGCHLD)
        num_interrupts = num_interrupts + 1;
    /* A full pipe is readable already. */
    ssize_t written = write(signal_pipe[1], "", 1);
    (void)written;
    errno = saved;
}

int interrupt_install(void)
{
    if (pipe(signal_pipe))
        return -1;
    for (int i = 0; i < 2; i++) {
        if (fcntl(signal_pipe[i], F_SETFD, FD_CLOEXEC) == -1 ||
            fcntl(signal_pipe[i], F_SETFL, O_NONBLOCK) == -1)
            return -1;
    }
    num_interrupts = 0;
    for (int i = 0; i < NUM_SIGNALS; i++) {
        struct sigaction action = {.sa_handler = signals[i] == SIGPIPE ? SIG_IGN : note};
        sigemptyset(&action.sa_mask);
        /* Only poll needs to notice; nothing else should fail with EINTR. */
        action.sa_flags = SA_RESTART | SA_NOCLDSTOP;
        if (sigaction(signals[i], &action, &before[i]))
            return -1;
        /* nohup means it. */
        if (signals[i] == SIGHUP && before[i].sa_handler == SIG_IGN)
            sigaction(SIGHUP, &before[i], NULL);
    }
    return 0;
}

void interrupt_restore(void)
{
    for (int i = 0; i < NUM_SIGNALS; i++)
        sigaction(signals[i], &before[i], NULL);
    for (int i = 0; i < 2; i++) {
        close(signal_pipe[i]);
        signal_pipe[i] = -1;
    }
}

int interrupt_fd(void)
{
    return signal_pipe[0];
}

void interrupt_drain(void)
{
    char bytes[64];
    while (read(signal_pipe[0], bytes, sizeof bytes) > 0)
        continue;
}

int interrupt_count(void)
{
    return num_interrupts;
}

void interrupt_reset_child(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < NUM_SIGNALS; i++)
        sigaction(signals[i], &action, NULL);
}
