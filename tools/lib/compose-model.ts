/** What the tools and tests use of the output of `docker compose config` or `docker stack config`. */
export interface ComposeModel {
  name?: string;
  services: Record<string, ComposeService>;
  networks?: Record<string, Resource | null>;
  volumes?: Record<string, Resource | null>;
  secrets?: Record<string, { file?: string }>;
  configs?: Record<string, { file?: string }>;
}

/** A network or a volume. */
interface Resource {
  name?: string;
  external?: boolean;
  driver?: string;
  /** Only of a network. */
  internal?: boolean;
  driver_opts?: Record<string, string>;
}

export interface ComposeService {
  image?: string;
  build?: Build;
  ports?: { target: number; published?: string; host_ip?: string; protocol?: string }[];
  depends_on?: Record<string, unknown>;
  network_mode?: string;
  cap_add?: string[];
  devices?: unknown[];
  device_cgroup_rules?: unknown[];
  security_opt?: string[];
  volumes?: Mount[];
  volumes_from?: unknown[];
  networks?: Record<string, unknown>;
  tmpfs?: string[];
  deploy?: { resources?: { limits?: { memory?: string; cpus?: string; pids?: number } } };
  scale?: number;
  [key: string]: unknown;
}

export interface Build {
  context?: string;
  dockerfile?: string;
  args?: Record<string, string | null>;
  network?: string;
  [key: string]: unknown;
}

export interface Mount {
  type: string;
  source?: string;
  target?: string;
  volume?: { nocopy?: boolean };
  [key: string]: unknown;
}
