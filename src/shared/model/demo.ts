/** Of every demo vault; known to everybody, and shown at its gate. */
export const DEMO_PASSWORD = 'demo-password';
