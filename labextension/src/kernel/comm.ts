/** How does JupyterLab ask?  Over a new comm for each question, in a shell of the kernel that no cell keeps busy.
 * It closes the comm itself: what a kernel closes, JupyterLab complains of in other pages, and after a restart. */

import type { Kernel as Jupyter, KernelMessage } from '@jupyterlab/services';
import type { Answers } from '../generated/payload';
import { accepted, Refused, type Kernel, type Question } from './kernel';

const TARGET = 'rms.control';
const NOT_LOADED = new Refused('rms_jupyter is not loaded in this kernel', 'run %load_ext rms_jupyter');
const RESTARTS = ['restarting', 'autorestarting', 'terminating', 'dead'];

/** Kernels that have said that they do not know us: they are asked again once a cell has run. */
const deaf = new WeakSet<Jupyter.IKernelConnection>();

/** Held open so that the subshell, which JupyterLab ends with the last comm, lasts from question to question. */
const anchors = new WeakMap<Jupyter.IKernelConnection, Jupyter.IComm>();

export function overComm(connection: Jupyter.IKernelConnection): Kernel {
  return { ask: question => ask(connection, question), interrupt: () => connection.interrupt() };
}

async function ask<Ask extends keyof Answers>(connection: Jupyter.IKernelConnection, question: Question<Ask>): Promise<Answers[Ask]> {
  if (deaf.has(connection)) {
    throw NOT_LOADED;
  }
  await anchored(connection);
  const comm = connection.createComm(TARGET);
  await started(connection, comm);
  const answer = await new Promise((resolve, reject) => {
    const gone = () => {
      if (RESTARTS.includes(connection.status)) {
        end(() => reject(new Refused('the kernel went away before it answered', 'run the notebook again')));
      }
    };
    const end = (settle: () => void) => {
      connection.statusChanged.disconnect(gone);
      settle();
    };
    comm.onClose = () => end(() => reject(unknownTo(connection)));
    comm.onMsg = message => {
      comm.onClose = () => end(() => resolve(message.content.data));
      comm.close();
    };
    connection.statusChanged.connect(gone);
    comm.open(question as unknown as Parameters<Jupyter.IComm['open']>[0]);
  });
  return accepted(answer);
}

function unknownTo(connection: Jupyter.IKernelConnection): Refused {
  const hear = (_: unknown, message: KernelMessage.IIOPubMessage) => {
    const ended = (message.content as { execution_state?: string }).execution_state === 'idle';
    if (ended && (message.parent_header as { msg_type?: string }).msg_type === 'execute_request') {
      connection.iopubMessage.disconnect(hear);
      deaf.delete(connection);
    }
  };
  if (!deaf.has(connection)) {
    deaf.add(connection);
    connection.iopubMessage.connect(hear);
  }
  return NOT_LOADED;
}

async function anchored(connection: Jupyter.IKernelConnection): Promise<void> {
  let anchor = anchors.get(connection);
  if (!anchor) {
    anchor = connection.createComm(TARGET);
    anchors.set(connection, anchor);
    const drop = () => {
      if (RESTARTS.includes(connection.status)) {
        connection.statusChanged.disconnect(drop);
        anchors.get(connection)?.dispose();
        anchors.delete(connection);
      }
    };
    connection.statusChanged.connect(drop);
  }
  await started(connection, anchor);
}

async function started(connection: Jupyter.IKernelConnection, comm: Jupyter.IComm): Promise<void> {
  await connection.info;
  if (connection.supportsSubshells && (comm.commsOverSubshells as string) !== 'disabled') {
    await (comm as Jupyter.IComm & { subshellStarted?: Promise<void> }).subshellStarted;
  }
}
