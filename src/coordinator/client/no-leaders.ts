/** Apart from other addresses: whoever leads, or is alone, connects to nobody. */
import { BlockList } from "node:net";

/**
 * Where no agent of a group is reached, whoever says so: nowhere, many at once, this link alone, and what clouds tell
 * their machines about themselves (credentials among it).
 */
export const NO_LEADERS = new BlockList();
NO_LEADERS.addSubnet("0.0.0.0", 8);
NO_LEADERS.addSubnet("169.254.0.0", 16);
NO_LEADERS.addSubnet("224.0.0.0", 4);
NO_LEADERS.addSubnet("240.0.0.0", 4);
NO_LEADERS.addAddress("168.63.129.16");
NO_LEADERS.addAddress("100.100.100.200");
NO_LEADERS.addAddress("::", "ipv6");
NO_LEADERS.addSubnet("fe80::", 10, "ipv6");
NO_LEADERS.addSubnet("ff00::", 8, "ipv6");
NO_LEADERS.addAddress("fd00:ec2::254", "ipv6");
