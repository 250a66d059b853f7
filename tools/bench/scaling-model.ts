/**
 * The arithmetic of docs/scaling.md: how many machines a number of requests per second takes. It
 * knows no figure of its own; all of them stand in that document's tables, with their sources.
 */

/** What one of something costs, such as an API call or a visit to the page. */
export interface Cost {
  /** Microseconds of a core, of everything together. */
  micros: number;
  /** Of these, the API servers'. Each is one process that uses one core at most. */
  serverMicros: number;
  wire: Wire;
}

/** Bytes on a network, Ethernet, IP and TCP headers included. */
export interface Wire {
  fromVisitor: number;
  toVisitor: number;
  toServers: number;
  fromServers: number;
  /** Between the proxy and the servers, both ways together. */
  packetsInside: number;
}

export interface Machine {
  cores: number;
  // What follows is undefined where it is not known, and then not reckoned with
  /** Of 2^30 bytes. */
  gibibytes: number | undefined;
  /** A second, each way. */
  gigabits: number | undefined;
  /** Of these, to and from the Internet. */
  gigabitsOutside: number | undefined;
}

/** How much of what was measured is planned with, and what a server needs of memory. */
export interface Plan {
  /** The part of a core, or of a network, that is used when all is well; from 0 to 1. */
  use: number;
  /** Megabytes of one API server, of 1,000,000 bytes each. */
  serverMegabytes: number;
}

/** Machines that a load takes, by what is used up first. */
export interface Need {
  machines: number;
  decides: "processor" | "network" | "memory";
}

/**
 * Bytes that VXLAN (RFC 7348) puts before each packet: Ethernet, IP, UDP and its own header, as in
 * Linux, include/net/vxlan.h.
 */
const vxlanBytes = 14 + 20 + 8 + 8;

/**
 * @param cores In use, averaged.
 * @param perSecond Requests in the same time.
 * @returns Microseconds of a core for each request.
 */
export const microsEach = (cores: number, perSecond: number): number => (cores / perSecond) * 1e6;

/**
 * What a machine of a Swarm sends: every node has a proxy and servers, and the proxies ask the servers
 * of all nodes. So it sends answers to visitors, questions to servers elsewhere, and answers of its
 * own servers to proxies elsewhere. Nearly all of the latter cross the network where there are many
 * nodes; here, all.
 * @returns Bytes for each call or visit.
 */
export const sentBytes = (wire: Wire): number => wire.toVisitor + insideBytes(wire);

/** The same for what it receives. */
export const receivedBytes = (wire: Wire): number => wire.fromVisitor + insideBytes(wire);

const insideBytes = ({ toServers, fromServers, packetsInside }: Wire): number =>
  toServers + fromServers + vxlanBytes * packetsInside;

/** @returns Gigabits per second, of bytes for each of so many. */
export const gigabits = (bytes: number, perSecond: number): number => (bytes * 8 * perSecond) / 1e9;

/** @returns How many a second so many cores are planned to serve, each taking so much of a core. */
export const plannedRate = (micros: number, { use }: Plan, cores = 1): number =>
  (cores * use * 1e6) / micros;

/** @returns API servers that it takes, each planned to use a part of its core. */
export const serversFor = (perSecond: number, { serverMicros }: Cost, plan: Plan): number =>
  Math.ceil(perSecond / plannedRate(serverMicros, plan));

/**
 * The model: as many machines as the scarcest of processor, network and memory takes.
 * @param perSecond Calls or visits.
 */
export function machinesFor(perSecond: number, cost: Cost, machine: Machine, plan: Plan): Need {
  const { wire } = cost;
  const most = Math.max(sentBytes(wire), receivedBytes(wire));
  const share = (bytes: number, of: number | undefined): number =>
    of === undefined ? 0 : gigabits(bytes, perSecond) / (of * plan.use);
  const needs: [Need["decides"], number][] = [
    ["processor", perSecond / plannedRate(cost.micros, plan, machine.cores)],
    ["network", share(most, machine.gigabits)],
    ["network", share(Math.max(wire.toVisitor, wire.fromVisitor), machine.gigabitsOutside)],
    ["memory", serversFor(perSecond, cost, plan) * memoryShare(machine, plan)],
  ];
  const [decides, machines] = needs.reduce((one, other) => (other[1] > one[1] ? other : one));
  return { machines: Math.ceil(machines), decides };
}

/** @returns The part of a machine's memory that one API server takes. */
const memoryShare = ({ gibibytes }: Machine, { serverMegabytes }: Plan): number =>
  gibibytes === undefined ? 0 : (serverMegabytes * 1e6) / (gibibytes * 2 ** 30);

/** @returns Machines of one place that does with one less. */
export const withSpare = ({ machines }: Need): number => machines + 1;

/**
 * @param inOne Says what one region needs for its calls per second.
 * @returns What all regions need together, when one of them may be lost and the others share its load.
 */
export const inRegions = (
  perSecond: number,
  regions: number,
  inOne: (perSecond: number) => number,
): number => regions * inOne(perSecond / (regions - 1));

/** @returns API servers on one machine, so that none is busier than planned. */
export const serversOn = ({ cores }: Machine, { micros, serverMicros }: Cost): number =>
  Math.ceil((cores * serverMicros) / micros);

/**
 * Counts what has an address on the network between proxies and servers: each server, and on each
 * machine the proxy and Docker's own end of the network.
 * @param addresses That the network has for all of them.
 * @param elsewhere Of these, taken whatever the number of machines: the front-ends.
 */
export const machinesInSwarm = (
  addresses: number,
  elsewhere: number,
  machine: Machine,
  cost: Cost,
): number => Math.floor((addresses - elsewhere) / (serversOn(machine, cost) + 2));

/** @returns Layer-4 balancers of one place, one of them to spare; answers do not pass through them. */
export const balancersFor = (
  packetsPerSecond: number,
  packetsOfOne: number,
  { use }: Plan,
): number => Math.ceil(packetsPerSecond / (packetsOfOne * use)) + 1;

/** @returns Terabytes of log lines in a day, of 10^12 bytes each. */
export const logOfDay = (bytes: number, perSecond: number): number =>
  (bytes * perSecond * 86_400) / 1e12;

/** @returns Seconds of log that a container keeps, which keeps so many megabytes of it. */
export const logKept = (megabytes: number, bytes: number, perSecond: number): number =>
  (megabytes * 1e6) / (bytes * perSecond);
