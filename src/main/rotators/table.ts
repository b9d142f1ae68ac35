import type { Engine } from '../egress/port.ts';
import { mysql } from './mysql.ts';
import { postgres } from './postgres.ts';
import { redis } from './redis.ts';
import type { EngineRotator } from './rotator.ts';

export const ROTATORS: Readonly<Record<Engine, EngineRotator>> = { postgres, mysql, mariadb: mysql, redis };
