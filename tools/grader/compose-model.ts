/** What the grader uses of `docker compose config --format=json`. */
export interface ComposeModel {
  name?: string;
  services: Record<string, ComposeService>;
  networks?: Record<string, { name?: string; external?: boolean; driver?: string } | null>;
  volumes?: Record<string, { name?: string; external?: boolean; driver_opts?: object } | null>;
  secrets?: Record<string, { file?: string }>;
  configs?: Record<string, { file?: string }>;
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
  scale?: number;
  [key: string]: unknown;
}

export interface Build {
  context?: string;
  dockerfile?: string;
  target?: string;
  args?: Record<string, string | null>;
  ulimits?: Record<string, number>;
  network?: string;
  [key: string]: unknown;
}

export interface Mount {
  type: string;
  source?: string;
  target?: string;
  [key: string]: unknown;
}
