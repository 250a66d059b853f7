/** What the grader uses of `docker compose config --format=json`. */
export interface ComposeModel {
  name?: string;
  services: Record<string, ComposeService>;
  networks?: Record<string, Shared | null>;
  volumes?: Record<string, Shared | null>;
  secrets?: Record<string, { file?: string }>;
  configs?: Record<string, { file?: string }>;
}

/** A network or a volume. */
interface Shared {
  name?: string;
  external?: boolean;
  driver?: string;
  driver_opts?: Record<string, string>;
}

export interface ComposeService {
  image?: string;
  build?: Build;
  ports?: { target: number; published?: string; host_ip?: string; protocol?: string }[];
  depends_on?: Record<string, unknown>;
  container_name?: string;
  network_mode?: string;
  cap_add?: string[];
  devices?: unknown[];
  device_cgroup_rules?: unknown[];
  security_opt?: string[];
  volumes?: Mount[];
  volumes_from?: unknown[];
  [key: string]: unknown;
}

export interface Build {
  context?: string;
  dockerfile?: string;
  dockerfile_inline?: string;
  target?: string;
  args?: Record<string, string | null>;
  ulimits?: Record<string, number>;
  additional_contexts?: Record<string, string>;
  network?: string;
  privileged?: boolean;
  ssh?: unknown;
  secrets?: unknown;
  entitlements?: unknown;
}

export interface Mount {
  type: string;
  source?: string;
  target?: string;
  read_only?: boolean;
  bind?: { create_host_path?: boolean };
}
