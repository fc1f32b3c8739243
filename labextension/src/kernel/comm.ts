/** How does JupyterLab ask?  Over a new comm for each question, in a shell of the kernel that no cell keeps busy. */

import type { Kernel as Jupyter, KernelMessage } from '@jupyterlab/services';
import { accepted, Refused, type Answer, type Kernel, type Question } from './kernel';

const TARGET = 'rms.control';
const NOT_LOADED = new Refused('rms_jupyter is not loaded in this kernel', 'run %load_ext rms_jupyter');
const RESTARTS = ['restarting', 'autorestarting', 'terminating', 'dead'];

/** Held open so that the subshell, which JupyterLab ends with the last comm, lasts from question to question. */
const anchors = new WeakMap<Jupyter.IKernelConnection, Jupyter.IComm>();

export function overComm(connection: Jupyter.IKernelConnection): Kernel {
  return { ask: question => ask(connection, question) };
}

async function ask(connection: Jupyter.IKernelConnection, question: Question): Promise<Answer> {
  await anchored(connection);
  const comm = connection.createComm(TARGET);
  await started(connection, comm);
  return new Promise((resolve, reject) => {
    const gone = () => {
      if (RESTARTS.includes(connection.status)) {
        end(() => reject(new Refused('the kernel went away before it answered', 'run the notebook again')));
      }
    };
    const end = (settle: () => void) => {
      connection.statusChanged.disconnect(gone);
      settle();
    };
    comm.onMsg = message => end(() => settle(message, resolve, reject));
    comm.onClose = () => end(() => reject(NOT_LOADED));
    connection.statusChanged.connect(gone);
    comm.open(question as unknown as Parameters<Jupyter.IComm['open']>[0]);
  });
}

function settle(
  message: KernelMessage.ICommMsgMsg,
  resolve: (answer: Answer) => void,
  reject: (reason: unknown) => void
): void {
  try {
    resolve(accepted(message.content.data));
  } catch (refused) {
    reject(refused);
  }
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
  if (connection.supportsSubshells && comm.commsOverSubshells !== 'disabled') {
    await (comm as Jupyter.IComm & { subshellStarted?: Promise<void> }).subshellStarted;
  }
}
