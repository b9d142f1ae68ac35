/** First of all imports: zod must not try whether this page may make functions from text. It may not, and each try is a violation. */
import { config } from 'zod';

config({ jitless: true });
