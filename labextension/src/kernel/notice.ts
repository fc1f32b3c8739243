/** How does one hear that something could not be done? */

import { Notification } from '@jupyterlab/apputils';
import { Refused } from './kernel';

/** Waits, and tells whether it was done; if it was refused, says why and what to do. */
export async function tellIfRefused(done: Promise<unknown>): Promise<boolean> {
  try {
    await done;
    return true;
  } catch (error) {
    if (!(error instanceof Refused)) {
      throw error;
    }
    Notification.warning(`rms: ${error.message}: ${error.hint}`, { autoClose: 8000 });
    return false;
  }
}
