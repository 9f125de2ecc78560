/* Packets and bytes: what stands between ns-3's Packet and the plain bytes of the C API. */
#ifndef P2_NS3C_PACKET_H
#define P2_NS3C_PACKET_H

#include "ns3/ipv4-header.h"
#include "ns3/ipv6-header.h"
#include "ns3/packet.h"
#include "ns3/tag.h"

namespace ns3
{

/* A number that travels with a packet inside the simulator. Fragments inherit it, and a reassembled packet
 * has the one of its first fragment. Which class it is says what the number means. */
class NumberTag : public Tag
{
  public:
    explicit NumberTag(uint64_t number);

    uint64_t GetNumber() const;

    uint32_t GetSerializedSize() const override;
    void Serialize(TagBuffer buffer) const override;
    void Deserialize(TagBuffer buffer) override;

  private:
    uint64_t m_number;
};

/* The mark of the C API. */
class MarkTag : public NumberTag
{
  public:
    static TypeId GetTypeId();
    explicit MarkTag(uint64_t mark = 0);
    TypeId GetInstanceTypeId() const override;
    void Print(std::ostream &os) const override;
};

/* 0 if the packet bears no mark. */
uint64_t GetPacketMark(Ptr<const Packet> packet);
Ptr<Packet> CreateMarkedPacket(const uint8_t *data, size_t len, uint64_t mark);

constexpr size_t IPV4_HEADER_LEN = 20; /* ns-3 sends no options */
constexpr size_t IPV6_HEADER_LEN = 40;
constexpr size_t IP_PACKET_MAX = 65535; /* of either family: a capture and a device's MTU hold no more */

/* The wire form of a header for that many bytes after it, checksum included: ns-3 leaves that at 0 to save
 * time. */
void WriteIpv4Header(uint8_t out[IPV4_HEADER_LEN], const Ipv4Header &header, size_t payload_len);
/* False if this is no IPv4 packet of just that length without options. */
bool ReadIpv4Header(Ipv4Header &header, const uint8_t *packet, size_t len);
void WriteIpv6Header(uint8_t out[IPV6_HEADER_LEN], const Ipv6Header &header, size_t payload_len);
/* False if this is no IPv6 packet of just that length. */
bool ReadIpv6Header(Ipv6Header &header, const uint8_t *packet, size_t len);
/* 4 or 6 as the packet's first byte has it, or 0: neither. */
unsigned GetIpVersion(const uint8_t *packet, size_t len);

uint16_t GetWord(const uint8_t *in);
void PutWord(uint8_t *out, uint32_t value);
/* RFC 1624: a checksum after one of the words that it covers went from `before` to `after`. */
uint16_t AdjustChecksum(uint16_t checksum, uint16_t before, uint16_t after);

/* Fills in the checksums that ns-3 left at 0: in IPv4 the header's, and ICMP's in a whole packet; in IPv6
 * that of UDP in a whole packet, which may not be 0 there. */
void CompleteChecksums(uint8_t *packet, size_t len);

/* A buffer that holds any IP packet. They are taken from a stack, so that a callback that leads to another
 * packet gets a buffer of its own and nothing is allocated on the packet path. */
class Scratch
{
  public:
    Scratch();
    ~Scratch();
    Scratch(const Scratch &) = delete;
    Scratch &operator=(const Scratch &) = delete;

    uint8_t *Data();

  private:
    uint8_t *m_data;
};

} // namespace ns3
#endif
