/** `trail:` handlers: verify, anchor outside, read. */
import { hex, fromHex } from '../crypto/bytes.ts';
import type { AttemptGate, Clock } from '../platform/ports.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { isKeyId, keyArn, placeIn } from '../../shared/model/ids.ts';
import type { TrailBreak } from '../seal/protocol.ts';
import type { TrailLog } from '../trail/port.ts';
import { encodeCheckpoint, openCheckpoint, relate } from '../trail/checkpoint.ts';
import { lookup, type FoundRecord } from '../trail/lookup.ts';
import type { TrailRecord } from '../trail/record.ts';
import { createTimeline, type Timeline } from '../trail/timeline.ts';
import { verifyTrail } from '../trail/verify.ts';
import { seconds } from '../../shared/api/operation.ts';
import { exportEvidence } from '../vault/evidence.ts';
import { startNewChain } from '../vault/new-chain.ts';
import { openOrThrow, startOf, type OpenVault, type Vault } from '../vault/vault.ts';
import { keyOf } from './resolvers.ts';
import type { HandlersOf } from './rights.ts';
import { checkpointKeyOf, signToo } from './second-signature.ts';

export interface TrailControl {
  readonly vault: Vault;
  readonly attempts: AttemptGate;
  readonly clock: Pick<Clock, 'now'>;
}

type Outcome = 'ok' | 'denied' | 'failed';

const MOST_UNFINISHED = 1000;

const outcomeOf = ({ result }: TrailRecord): Outcome | undefined => {
  if (result === undefined) return undefined;
  if (result === 'ok') return 'ok';
  return result === 'AccessDeniedException' ? 'denied' : 'failed';
};

const shownTimeline = (timeline: Timeline | undefined) =>
  timeline ? { Timeline: { Start: seconds(timeline.from), BinSeconds: timeline.width / 1000, Requests: [...timeline.requests], Checkpoints: [...timeline.checkpoints] } } : {};

const shownEvent = ({ index, record }: FoundRecord) => {
  const outcome = outcomeOf(record);
  return {
    Index: index,
    Time: seconds(record.time),
    Kind: record.phase,
    Operation: record.operation,
    ...(record.requestId === undefined ? {} : { RequestId: record.requestId }),
    ...(record.door === undefined ? {} : { Door: record.door }),
    ...(record.principal === undefined ? {} : { Principal: record.principal }),
    ...(record.resource === undefined ? {} : { Resource: record.resource }),
    ...(outcome === undefined ? {} : { Result: outcome }),
    ...(record.result === undefined || record.result === 'ok' ? {} : { Error: record.result }),
    ...(record.input === undefined ? {} : { Input: record.input }),
    ...(record.reasons === undefined ? {} : { Note: record.reasons.join(', ') }),
  };
};

const shownBreak = ({ segment, index, offset, what }: TrailBreak) => ({ Segment: segment, Index: index, Offset: offset, What: what });

export const trailHandlers = ({ vault, attempts, clock }: TrailControl): HandlersOf<'trail'> => {
  const opened = (): { open: OpenVault; log: TrailLog } => {
    const open = openOrThrow(vault);
    if (!vault.trail) throw new VaultError('TrailUnavailableException', 'the trail is not open; restart the vault');
    return { open, log: vault.trail };
  };

  return {
    'trail:VerifyTrail': async (_input, call) => {
      const { open, log } = opened();
      const { trailIndex, trailHash } = open.store.state;
      const timeline = createTimeline();
      const report = await verifyTrail(log, open.sealer, {
        state: { trailIndex, trailHash },
        onRecord: timeline.see,
        ...startOf(open),
        signal: call.signal,
        onProgress: (done, total) => { call.progress({ done, total, unit: 'records' }); },
      });
      // This request's own intent is open while it runs.
      const unfinished = report.unfinished.filter(({ record }) => record.requestId !== call.requestId).slice(0, MOST_UNFINISHED);
      return {
        Intact: !report.broken,
        Records: report.records,
        Segments: report.segments,
        LastIndex: report.last.index,
        LastHash: hex(report.last.hash),
        ...(open.settings.chainStart ? { FirstIndex: open.settings.chainStart.index } : {}),
        ...(report.broken ? { Broken: shownBreak(report.broken) } : {}),
        ...shownTimeline(timeline.read()),
        Unfinished: unfinished.map(({ index, record }) => ({ Index: index, RequestId: record.requestId ?? '', Operation: record.operation, Time: seconds(record.time) })),
      };
    },

    'trail:ExportCheckpoint': async () => {
      const { open, log } = opened();
      const { head } = log;
      const { state } = open.store;
      const payload = encodeCheckpoint({ headerHash: hex(state.header), hash: hex(head.hash), index: head.index, storeEpoch: state.epoch, time: clock.now(), vaultId: open.info.vaultId });
      const { envelope, publicKey } = await open.sealer.call('signCheckpoint', { payload });
      return { Checkpoint: envelope, PublicKey: publicKey, Index: head.index, Hash: hex(head.hash) };
    },

    'trail:SignCheckpoint': async (input, call, { keys, realm }) => {
      const { publicKeys } = await opened().open.sealer.call('checkpointKeys', {});
      return signToo(keys, keyOf(call.resource), realm, openCheckpoint(input.Checkpoint, publicKeys), input.Checkpoint);
    },

    'trail:SetCheckpointKey': async (input, call, { writer, realm }) => {
      const { checkpointKey: _before, ...settings } = await writer.settings();
      if (input.KeyId === undefined) {
        writer.putSettings(settings);
        return {};
      }
      const key = keyOf(call.resource);
      checkpointKeyOf(key);
      if (key.state === 'PendingDeletion' || key.state === 'PendingReplicaDeletion') return call.fail('KMSInvalidStateException', `key \`${key.keyId}\` is to be deleted; choose one that stays`);
      if (placeIn(realm) !== undefined) return call.fail('UnsupportedOperationException', `key \`${key.keyId}\` is in another region; the trail is the whole vault's, so choose a key of the vault's own`);
      const arn = keyArn(realm, key.keyId);
      writer.putSettings({ ...settings, checkpointKey: arn });
      return { KeyId: arn };
    },

    'trail:DescribeCheckpointKey': async (_input, _call, { reader }) => {
      const { checkpointKey } = await reader.settings();
      if (checkpointKey === undefined) return {};
      const id = checkpointKey.slice(checkpointKey.indexOf('/') + 1);
      return { KeyId: checkpointKey, Exists: isKeyId(id) && (await reader.key(id)) !== undefined };
    },

    'trail:VerifyCheckpoint': async (input, call) => {
      const { open, log } = opened();
      const { publicKeys } = await open.sealer.call('checkpointKeys', {});
      const { checkpoint, signatureValid, signedBy } = openCheckpoint(input.Checkpoint, publicKeys);
      const second = input.KeyId === undefined ? {} : { SecondSignatureValid: signedBy(checkpointKeyOf(keyOf(call.resource))) };
      const relation = await relate(log, open.sealer, fromHex(open.info.vaultId), checkpoint, open.settings.chainStart?.index);
      return { Relation: relation, SignatureValid: signatureValid, ...second, Index: checkpoint.index, Hash: checkpoint.hash, Created: seconds(checkpoint.time) };
    },

    'trail:LookupEvents': async (input) => {
      const { open, log } = opened();
      const { found, nextBefore } = await lookup(log, open.sealer, {
        limit: input.Limit,
        ...(input.Before === undefined ? {} : { before: input.Before }),
        ...(input.After === undefined ? {} : { after: input.After }),
        matches: (record) =>
          (input.Operation === undefined || record.operation === input.Operation) &&
          (input.Principal === undefined || record.principal === input.Principal) &&
          (input.RequestId === undefined || record.requestId === input.RequestId) &&
          (input.Result === undefined || outcomeOf(record) === input.Result),
      });
      return { Events: found.map(shownEvent), ...(nextBefore === undefined ? {} : { NextBefore: nextBefore }) };
    },

    'trail:StartNewChain': async (input) => {
      const { state, broken, records, segments, setAside, firstIndex } = await startNewChain(vault, { given: input, dryRun: input.DryRun }, attempts);
      return {
        State: state,
        Broken: shownBreak(broken),
        Records: records,
        Segments: segments,
        ...(setAside === undefined ? {} : { SetAside: setAside }),
        ...(firstIndex === undefined ? {} : { FirstIndex: firstIndex }),
      };
    },

    'trail:ExportEvidence': async (input, call) => {
      const { files, records, broken } = await exportEvidence(vault, input.Folder, clock.now(), shownEvent, call.signal);
      return { Folder: input.Folder, Files: files, ...(records === undefined ? {} : { Records: records }), ...(broken ? { Broken: shownBreak(broken) } : {}) };
    },
  };
};
