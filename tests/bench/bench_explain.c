/* explain on captures of 1,400-byte ESP packets: speed and peak memory.
 *
 * BENCH_EXPLAIN_MB sets the size of the capture without keys (1000); the one with keys has a tenth of it.
 * Unlike other benchmarks it judges: 1 if explain does not keep up with 200 MB/s, or takes more than 64 MB.
 */
#define _DEFAULT_SOURCE /* wait4 */

#include "bench.h"
#include "explanation.h"
#include "ip.h"
#include "write.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PACKET = 1400,
    FILE_HEADER = 24,
    RECORD_HEADER = 16,
    HEADERS = RECORD_HEADER + P2_IPV4_HEADER_LEN,
    SPI = 0x229cf959,
    LEAST_MB_S = 200,
    MOST_MB = 64
};

static void fail(const char *what)
{
    fprintf(stderr, "bench_explain: %s\n", what);
    exit(EXIT_FAILURE);
}

struct source {
    struct p2_esp_keys keys;
    size_t payload_len;
    uint8_t record[HEADERS + PACKET], payload[PACKET];
    uint64_t sequence;
};

/* As many bytes as fill the packet. */
static void source_init(struct source *s, const struct known_esp *known)
{
    p2_esp_init(&s->keys, known->cipher, known->encryption_key, known->auth, known->authentication_key,
                false);
    while (p2_esp_sealed_len(&s->keys, s->payload_len + 1) <= PACKET - P2_IPV4_HEADER_LEN)
        s->payload_len++;
    struct p2_ip_header inner = {.source = p2_address_v4(0x0a010001),
                                 .destination = p2_address_v4(0x0a020001),
                                 .ttl = 64,
                                 .protocol = P2_IP_PROTO_UDP,
                                 .payload_len = s->payload_len - P2_IPV4_HEADER_LEN};
    p2_ip_build(s->payload, &inner);
}

/* The next record; its length. Bytes of the host's order are what libpcap takes them for. */
static size_t source_next(struct source *s)
{
    static const uint8_t iv[P2_CIPHER_MAX_IV];
    size_t esp_len = p2_esp_sealed_len(&s->keys, s->payload_len);
    uint32_t len = (uint32_t)(P2_IPV4_HEADER_LEN + esp_len);
    uint32_t header[4] = {(uint32_t)(s->sequence / 100000), (uint32_t)(s->sequence % 100000 * 10), len, len};
    struct p2_ip_header outer = {.source = p2_address_v4(0xc0000201),
                                 .destination = p2_address_v4(0xc0000202),
                                 .ttl = 64,
                                 .protocol = P2_IP_PROTO_ESP,
                                 .payload_len = esp_len};
    s->sequence++;
    memcpy(s->record, header, sizeof header);
    p2_ip_build(s->record + sizeof header, &outer);
    p2_esp_seal(&s->keys, SPI, s->sequence, iv, P2_IP_PROTO_IPV4,
                (struct p2_bytes){s->payload, s->payload_len}, s->record + HEADERS);
    return sizeof header + len;
}

/* Without keys the contents do not matter, and sealing would take longer than what is measured. */
static FILE *make_capture(const struct known_esp *known, uint64_t bytes, bool sealed, size_t *size)
{
    static const uint32_t head[FILE_HEADER / 4] = {0xa1b2c3d4, 0x00040002, 0, 0, 65535, 101};
    static struct source s;
    FILE *file = tmpfile();
    size_t len = 0;
    memset(&s, 0, sizeof s);
    source_init(&s, known);
    if (!file || fwrite(head, sizeof head, 1, file) != 1)
        fail("no temporary file");
    for (*size = 0; *size < bytes; *size += len) {
        if (sealed || len == 0)
            len = source_next(&s);
        else
            p2_put_u32(s.record + HEADERS + 4, (uint32_t)++s.sequence);
        if (fwrite(s.record, len, 1, file) != 1)
            fail("the disk is full");
    }
    rewind(file);
    return file;
}

static void explain(FILE *file, const struct known_keys *known, bool with_keys)
{
    char error[FRAMES_ERROR];
    struct explain_options options = {.file = "capture"};
    struct frames *frames = NULL;
    struct explanation *e;
    FILE *out = fopen("/dev/null", "w");
    if (!out || frames_open_stream(&frames, file, "capture", error) < 0)
        fail("the capture can not be read");
    if (explanation_new(&e, known, EXPLAIN_WINDOW, false) < 0 || explanation_read(e, frames) < 0 ||
        explain_write_text(out, e, &options) < 0)
        fail("out of memory");
    if (e->ipsec.packets == 0 || e->ipsec.packets != (with_keys ? e->ipsec.icv_ok : e->ipsec.unknown_spi))
        fail("not every packet was explained");
    explanation_free(e);
    frames_close(frames);
    fclose(out);
}

/* In a process of its own, whose memory is explain's. CPU seconds; *peak in MB. */
static double measure(FILE *file, const struct known_keys *known, bool with_keys, double *peak)
{
    struct rusage usage;
    int status = 0;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        explain(file, known, with_keys);
        _exit(EXIT_SUCCESS);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) < 0 || status != 0)
        fail("explain failed");
    *peak = (double)usage.ru_maxrss / 1024;
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

/* The same packets, nothing but opened. CPU seconds. */
static double open_all(FILE *file, const struct known_esp *known, size_t size)
{
    static uint8_t out[PACKET];
    struct p2_esp_keys keys;
    size_t payload_len, at = 0;
    uint8_t next_header, *records = malloc(size);
    p2_esp_init(&keys, known->cipher, known->encryption_key, known->auth, known->authentication_key, false);
    if (!records || fseek(file, FILE_HEADER, SEEK_SET) < 0 || fread(records, size, 1, file) != 1)
        fail("the capture can not be read again");
    double start = bench_seconds();
    while (at < size) {
        const uint8_t *packet = records + at + RECORD_HEADER, *esp = packet + P2_IPV4_HEADER_LEN;
        size_t len = p2_get_u16(packet + 2);
        if (p2_esp_open(&keys, esp, len - P2_IPV4_HEADER_LEN, p2_get_u32(esp + 4), out, &payload_len,
                        &next_header) != P2_DROP_NONE)
            fail("a packet does not open");
        at += RECORD_HEADER + len;
    }
    double took = bench_seconds() - start;
    free(records);
    return took;
}

int main(void)
{
    const char *setting = getenv("BENCH_EXPLAIN_MB");
    uint64_t mb = setting ? strtoull(setting, NULL, 10) : 1000;
    struct known_esp esp = {.family = 4,
                            .any_source = true,
                            .any_destination = true,
                            .any_spi = true,
                            .cipher = P2_CIPHER_AES128_CBC,
                            .auth = P2_AUTH_HMAC_SHA1_96};
    struct known_keys none = {0}, known = {.esp = &esp, .num_esp = 1};
    double peak[2];
    size_t size;
    if (mb < 10)
        fail("BENCH_EXPLAIN_MB: at least 10");
    FILE *file = make_capture(&esp, mb * 1000000, false, &size);
    double seconds = measure(file, &none, false, &peak[0]), speed = (double)mb / seconds;
    fclose(file);
    printf("%5" PRIu64 " MB without keys: %7.1f MB/s, peak %.1f MB\n", mb, speed, peak[0]);
    file = make_capture(&esp, mb * 100000, true, &size);
    seconds = measure(file, &known, true, &peak[1]);
    double bare = open_all(file, &esp, size);
    fclose(file);
    printf("%5" PRIu64 " MB with keys:    %7.1f MB/s, peak %.1f MB, %.3f of bare p2_esp_open\n", mb / 10,
           (double)mb / 10 / seconds, peak[1], seconds / bare);
    bool holds = speed >= LEAST_MB_S && peak[0] <= MOST_MB && peak[1] <= MOST_MB;
    if (!holds)
        printf("That is not %d MB/s within %d MB.\n", LEAST_MB_S, MOST_MB);
    return holds ? EXIT_SUCCESS : EXIT_FAILURE;
}
