/** The Chromium host, in the browser that is installed here. */
import { conformance } from '../hosts/conformance.ts';
import { openChromium } from '../hosts/chromium-subject.ts';

conformance('chromium', openChromium);
