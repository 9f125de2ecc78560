/* Packets and bytes: what stands between ns-3's Packet and the plain bytes of the C API. */
#ifndef P2_NS3C_PACKET_H
#define P2_NS3C_PACKET_H

#include "ns3/ipv4-header.h"
#include "ns3/packet.h"
#include "ns3/tag.h"

namespace ns3
{

/* A number that travels with a packet inside the simulator. Fragments inherit it, and a reassembled packet
 * has the one of its first fragment. */
class MarkTag : public Tag
{
  public:
    static TypeId GetTypeId();
    explicit MarkTag(uint64_t mark = 0);

    uint64_t GetMark() const;

    TypeId GetInstanceTypeId() const override;
    uint32_t GetSerializedSize() const override;
    void Serialize(TagBuffer buffer) const override;
    void Deserialize(TagBuffer buffer) override;
    void Print(std::ostream &os) const override;

  private:
    uint64_t m_mark;
};

/* 0 if the packet bears no mark. */
uint64_t GetPacketMark(Ptr<const Packet> packet);
/* Replaces a mark that is there already. */
void SetPacketMark(Ptr<Packet> packet, uint64_t mark);
Ptr<Packet> CreateMarkedPacket(const uint8_t *data, size_t len, uint64_t mark);

constexpr size_t IPV4_HEADER_LEN = 20; /* ns-3 sends no options */
constexpr size_t IPV4_PACKET_MAX = 65535;

/* The wire form of a header for that many bytes after it, checksum included: ns-3 leaves that at 0 to save
 * time. */
void WriteIpv4Header(uint8_t out[IPV4_HEADER_LEN], const Ipv4Header &header, size_t payload_len);
/* False if this is no IPv4 packet of just that length without options. */
bool ReadIpv4Header(Ipv4Header &header, const uint8_t *packet, size_t len);
/* Fills in the checksums that ns-3 left at 0: the header's, and ICMP's in a whole packet. */
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
